"""Average precision of each category over images: how well a category is found at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Bools
from finding_nemo.core.errors import PredictionsError


def average_precision_by_category(truth: Bools, scores: AnyFloats) -> npt.NDArray[np.float64]:
    """Return the average precision of each column, in [0, 1]; NaN where nothing is true.

    Images with equal scores are taken together (one step of the precision-recall curve), so
    that a constant column scores its own frequency and file order cannot help.

    Args:
        truth: Whether each category is in each image, shape (images, categories).
        scores: Higher is better, same shape, no NaN.

    Raises:
        PredictionsError: If the shapes differ or `scores` holds NaN.

    Source:
        The step-wise (not interpolated) definition, as in scikit-learn's
        `average_precision_score`, with which it agrees.
    """
    if truth.shape != scores.shape or truth.ndim != 2:
        raise PredictionsError(
            f"truth and scores must have one shape (images, categories), "
            f"got {truth.shape} and {scores.shape}."
        )
    if np.isnan(scores).any():
        raise PredictionsError("scores must not be NaN.")
    columns = range(truth.shape[1])
    return np.array([_average_precision(truth[:, j], scores[:, j]) for j in columns])


def _average_precision(truth: npt.NDArray[np.bool_], scores: AnyFloats) -> float:
    n_true = int(truth.sum())
    if n_true == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(sorted_scores)), sorted_scores.size - 1)
    hits = np.cumsum(truth[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    recall_steps = np.diff(hits, prepend=0) / n_true
    return float((precision * recall_steps).sum())


def macro_average_precision(truth: Bools, scores: AnyFloats) -> float:
    """Return the mean average precision over the categories that occur, in [0, 1].

    NaN where no category occurs.
    """
    by_category = average_precision_by_category(truth, scores)
    occurring = by_category[~np.isnan(by_category)]
    return float(occurring.mean()) if occurring.size else float("nan")
