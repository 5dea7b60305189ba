"""A score against the validation images' scores: what is usual, and how unusual an image is."""

from __future__ import annotations

import numpy as np

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import PredictionsError

N_QUANTILES = 101


def reference_quantiles(scores: Float64s) -> Float64s:
    """Return the 0 % to 100 % quantiles of validation scores, shape (101,).

    Raises:
        PredictionsError: If there is no score.
    """
    if not scores.size:
        raise PredictionsError("A reference for novelty needs validation images, got none.")
    quantiles: Float64s = np.quantile(scores, np.linspace(0, 1, N_QUANTILES))
    return quantiles


def novelty_percentile(scores: Float64s, quantiles: Float64s) -> Float64s:
    """Return the share of validation images that are less far out, in [0, 1], same shape."""
    result: Float64s = np.interp(scores, *_corners(quantiles))
    return result


def standing(scores: Float64s, quantiles: Float64s) -> Float64s:
    """Return `novelty_percentile` that goes on rising beyond the validation images, same shape.

    Beyond either end it rises as it does between the quartiles on average, so that two frames
    further out than all validation images still differ, and standings of scores with different
    units can be averaged.
    """
    spread = quantiles[3 * (N_QUANTILES // 4)] - quantiles[N_QUANTILES // 4]
    slope = 0.5 / spread if spread > 0 else 0.5
    above = np.maximum(scores - quantiles[-1], 0.0) * slope
    below = np.minimum(scores - quantiles[0], 0.0) * slope
    result: Float64s = novelty_percentile(scores, quantiles) + above + below
    return result


def _corners(quantiles: Float64s) -> tuple[Float64s, Float64s]:
    """Return strictly ascending corners: equal quantiles are joined at their mean share."""
    distinct, position = np.unique(quantiles, return_inverse=True)
    shares = np.linspace(0, 1, len(quantiles))
    return distinct, np.bincount(position, weights=shares) / np.bincount(position)
