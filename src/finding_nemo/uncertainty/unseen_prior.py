"""What to say of categories without a training image: a stated prior, neither blind nor hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ABOUT = (
    "Categories without a training image are ranked by a prior: the share of training images whose "
    "category was seen on one dive only stands for what the next dive brings anew; it is shared "
    "among the never-seen by how many categories of their supercategory were seen."
)


def unseen_prior(
    n_images: npt.NDArray[np.integer],
    n_dives: npt.NDArray[np.integer],
    supercategories: Sequence[str],
    *,
    n_train: int,
) -> npt.NDArray[np.float64]:
    """Return the prior of each category without a training image, 0 for the others.

    Args:
        n_images: Training images of each category, shape (categories,).
        n_dives: Training dives that they come from, same shape.
        supercategories: Of each category.
        n_train: Training images in all.

    Source:
        Good, "The Population Frequencies of Species and the Estimation of Population
        Parameters", Biometrika 1953: the unseen have about the mass of what was seen once. Seen
        once means on one dive, since frames of a dive are not independent.
    """
    unseen = n_images == 0
    if not unseen.any():
        return np.zeros(len(n_images))
    mass = max(int(n_images[n_dives == 1].sum()), 0.5) / max(n_train, 1)
    groups = np.asarray(supercategories, dtype=np.str_)
    _, position = np.unique(groups, return_inverse=True)
    seen = np.bincount(position, weights=~unseen)
    share = np.where(unseen, seen[position] + 1.0, 0.0)
    prior: npt.NDArray[np.float64] = mass * share / share.sum()
    return prior
