"""What to say of categories without a training image: a stated prior, neither blind nor hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ABOUT = (
    "Categories without a training image are ranked by a prior: the chance that a frame shows "
    "something never seen (categories seen once, divided by training images), shared among them by "
    "how often their supercategory was seen."
)


def unseen_prior(
    n_images: npt.NDArray[np.integer], supercategories: Sequence[str], *, n_train: int
) -> npt.NDArray[np.float64]:
    """Return the prior of each category without a training image, 0 for the others.

    Args:
        n_images: Training images of each category, shape (categories,).
        supercategories: Of each category.
        n_train: Training images in all.

    Source:
        Good, "The Population Frequencies of Species and the Estimation of Population
        Parameters", Biometrika 1953: the unseen have about the mass of what was seen once.
    """
    unseen = n_images == 0
    if not unseen.any():
        return np.zeros(len(n_images))
    mass = max(int((n_images == 1).sum()), 0.5) / max(n_train, 1)
    groups = np.asarray(supercategories, dtype=np.str_)
    _, place = np.unique(groups, return_inverse=True)
    seen = np.bincount(place, weights=n_images)
    share = np.where(unseen, seen[place] + 1.0, 0.0)
    prior: npt.NDArray[np.float64] = mass * share / share.sum()
    return prior
