"""The best non-decreasing curve through labelled scores: pool adjacent violators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import PredictionsError


@dataclass(frozen=True)
class IsotonicCurve:
    """A non-decreasing, piecewise linear curve from score to probability.

    Attributes:
        scores: Ascending corners, shape (corners,).
        values: The curve there, non-decreasing, in [0, 1], same shape.
    """

    scores: Float64s
    values: Float64s

    def __call__(self, scores: npt.NDArray[np.floating]) -> Float64s:
        """Return the curve at `scores`, constant beyond its ends, same shape."""
        result: Float64s = np.interp(scores, self.scores, self.values)
        return result


def fit_isotonic(scores: npt.NDArray[np.floating], truth: npt.NDArray[np.bool_]) -> IsotonicCurve:
    """Fit the non-decreasing curve with the least squared error to `truth`.

    The steps that pooling gives are joined by straight lines between their mean scores: steps
    would give thousands of images one probability.

    Args:
        scores: Any real scores, shape (cells,), no NaN.
        truth: Whether each is true, same shape.

    Raises:
        PredictionsError: If the shapes differ, nothing is given or a score is NaN.

    Source:
        Zadrozny and Elkan, "Transforming Classifier Scores into Accurate Multiclass Probability
        Estimates", KDD 2002; pool adjacent violators, Ayer et al., 1955.
    """
    if scores.shape != truth.shape or scores.ndim != 1 or not scores.size:
        raise PredictionsError(
            f"A calibration curve needs one truth a score, got {scores.shape} and {truth.shape}."
        )
    if np.isnan(scores).any():
        raise PredictionsError("A calibration curve needs scores that are numbers, got NaN.")
    distinct, position = np.unique(scores.astype(np.float64), return_inverse=True)
    weights = np.bincount(position).astype(np.float64)
    means = np.bincount(position, weights=truth.astype(np.float64)) / weights
    values, sizes = pool_adjacent_violators(means, weights)
    block = np.repeat(np.arange(len(sizes)), sizes)
    block_weight = np.bincount(block, weights=weights)
    centres = np.bincount(block, weights=weights * distinct) / block_weight
    return IsotonicCurve(centres, values)


def pool_adjacent_violators(
    means: Float64s, weights: Float64s
) -> tuple[Float64s, npt.NDArray[np.int64]]:
    """Return the pooled, ascending block means and how many entries each block holds.

    Args:
        means: In order of score, shape (n,).
        weights: Of each, above 0, same shape.
    """
    blocks: list[tuple[float, float, int]] = []
    for mean, weight in zip(means.tolist(), weights.tolist(), strict=True):
        blocks.append((mean, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            value, total, size = blocks.pop()
            before, total_before, size_before = blocks.pop()
            both = total + total_before
            pooled = (value * total + before * total_before) / both
            blocks.append((pooled, both, size + size_before))
    values = np.array([value for value, _, _ in blocks])
    return values, np.array([size for _, _, size in blocks], dtype=np.int64)
