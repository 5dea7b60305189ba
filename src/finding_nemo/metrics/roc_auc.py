"""The competition's final score: (MAP@20 + 2 x AUC - 1) / 2."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError


def roc_auc(positive: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating]) -> float:
    """Return how often a positive scores above a negative, ties counting half, in [0, 1].

    Args:
        positive: Whether each image is out of sample, shape (images,).
        scores: Higher = further out, same shape.

    Raises:
        PredictionsError: If the shapes differ, a score is NaN, or one side is empty.

    Source:
        Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically
        Larger than the Other", 1947.
    """
    if positive.shape != scores.shape or positive.ndim != 1:
        raise PredictionsError(
            f"AUC needs one score an image, got {positive.shape} and {scores.shape}."
        )
    if np.isnan(scores).any():
        raise PredictionsError("AUC needs scores that are numbers, got NaN.")
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    if not n_positive or not n_negative:
        raise PredictionsError(
            f"AUC needs images on both sides, got {n_positive} out of sample and {n_negative} in."
        )
    ranks = _mean_ranks(scores)
    wins = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(wins / (n_positive * n_negative))


def _mean_ranks(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return ranks from 1, equal scores sharing their mean rank."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return ranks


def competition_score(map_at_20: float, auc: float) -> float:
    """Return the final score from its two halves, in [-0.5, 1]."""
    return (map_at_20 + 2 * auc - 1) / 2
