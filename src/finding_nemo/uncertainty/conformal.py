"""Sets of categories that seldom miss a true one, with the risk counted over dives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Bools
from finding_nemo.core.errors import PredictionsError


@dataclass(frozen=True, slots=True)
class SetScores:
    """What sets of categories reach.

    Attributes:
        threshold: A category with this probability or more is in the set.
        coverage: Share of images whose set misses no true category, in [0, 1].
        coverage_by_dive: The same, each dive counting once.
        mean_size: Categories in a set, mean over images.
        n_images: Images with a true category.
        n_dives: Their dives.
    """

    threshold: float
    coverage: float
    coverage_by_dive: float
    mean_size: float
    n_images: int
    n_dives: int


def fit_set_threshold(
    truth: Bools, probabilities: AnyFloats, dives: Sequence[str], *, risk: float = 0.1
) -> float:
    """Return the largest threshold whose sets miss a true category in at most `risk` of the time.

    The risk is the mean over validation dives of the share of frames that miss one: a new dive
    is like another dive, not like another frame, so a dive of 600 frames speaks once.

    Args:
        truth: Shape (images, categories).
        probabilities: Calibrated, same shape.
        dives: The dive of each image.
        risk: In (0, 1).

    Raises:
        PredictionsError: If no image holds a category.

    Source:
        Bates et al., "Distribution-Free, Risk-Controlling Prediction Sets", JACM 2021,
        arXiv:2101.02703; Dunn, Wasserman and Ramdas, "Distribution-Free Prediction Sets for
        Two-Layer Hierarchical Models", JASA 2022 (groups), without their finite-sample term.
    """
    weakest, weights = _weakest_true(truth, probabilities, dives)
    order = np.argsort(weakest, kind="stable")
    # Lifting the threshold past a frame's weakest true category misses that frame.
    missed = np.cumsum(weights[order])
    n_allowed = int(np.searchsorted(missed, risk * (1 + 1e-12), side="right"))
    return float(weakest[order][min(n_allowed, len(order) - 1)])


def _weakest_true(
    truth: Bools, probabilities: AnyFloats, dives: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    holding = truth.any(axis=1)
    if not holding.any():
        raise PredictionsError("Conformal sets need images that hold a category, got none.")
    weakest = np.where(truth, probabilities, np.inf).min(axis=1)[holding].astype(np.float64)
    _, position, counts = np.unique(
        np.asarray(dives, dtype=np.str_)[holding], return_inverse=True, return_counts=True
    )
    return weakest, 1.0 / (counts[position] * len(counts))


def score_sets(
    truth: Bools, probabilities: AnyFloats, dives: Sequence[str], *, threshold: float
) -> SetScores:
    """Return what the sets at `threshold` reach on other images.

    Raises:
        PredictionsError: If no image holds a category.
    """
    weakest, weights = _weakest_true(truth, probabilities, dives)
    covered = weakest >= threshold
    holding = truth.any(axis=1)
    sizes = (probabilities[holding] >= threshold).sum(axis=1)
    return SetScores(
        threshold=threshold,
        coverage=float(covered.mean()),
        coverage_by_dive=float((covered * weights).sum()),
        mean_size=float(sizes.mean()),
        n_images=int(holding.sum()),
        n_dives=len(set(np.asarray(dives, dtype=np.str_)[holding].tolist())),
    )
