"""Adapted scores into probabilities that mean what they say, fitted on dives of other reviews."""

from __future__ import annotations

import numpy as np

from finding_nemo.adaptation.adaptation_settings import CalibrationSettings
from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.core.errors import SettingsError

# A score is an expectation of 0 or 1 that may stray outside; its logit needs an end.
_LEAST = 2e-3
# The slope is never flat, so that calibration keeps the order of a frame's categories.
_LEAST_SLOPE = 0.1
_STEPS = 50
# Beyond this logit a probability is 0 or 1 to nine digits.
_FARTHEST = 20.0
# As much as one label holds the line near that of no calibration, or labels that a line parts
# without a fault would pull it to infinity.
_PRIOR = 1.0


def calibrate_scores(
    scores: Float64s, variance: Float64s, settings: CalibrationSettings
) -> Float64s:
    """Return probabilities in [0, 1], shape (frames, categories), in each frame's own order.

    Scores beyond the ends of the logit's range keep their order by a part too small to matter.

    Args:
        scores: Posterior means, shape (frames, categories).
        variance: Posterior variance of each frame, shape (frames,).
        settings: The line of logits.
    """
    spread = variance[:, np.newaxis]
    slope = np.maximum(settings.slope + settings.slope_by_variance * spread, _LEAST_SLOPE)
    offset = settings.offset + settings.offset_by_variance * spread
    beyond = scores - np.clip(scores, _LEAST, 1 - _LEAST)
    logits = slope * _logit(scores) + offset + 0.1 * beyond
    return _logistic(logits)


def _logistic(logits: Float64s) -> Float64s:
    found: Float64s = 1.0 / (1.0 + np.exp(-np.clip(logits, -_FARTHEST, _FARTHEST)))
    return found


def _logit(scores: Float64s) -> Float64s:
    held = np.clip(scores, _LEAST, 1 - _LEAST)
    found: Float64s = np.log(held / (1.0 - held))
    return found


def fit_calibration(scores: Float64s, variance: Float64s, truth: Bools) -> CalibrationSettings:
    """Return the line that gives the truth the largest likelihood, by Newton's method.

    Args:
        scores: Posterior means, shape (frames, categories).
        variance: Posterior variance of each frame, shape (frames,).
        truth: Whether each category is there, same shape as `scores`.

    Raises:
        SettingsError: If no label is true, or all are: there is no line to fit.

    Source:
        Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    """
    if truth.all() or not truth.any():
        raise SettingsError("A calibration needs labels that are true and some that are not.")
    logits = _logit(scores)
    spread = np.broadcast_to(variance[:, np.newaxis], logits.shape)
    inputs = np.stack([logits, spread * logits, np.ones_like(logits), spread], axis=-1)
    inputs, so = inputs.reshape(-1, 4), truth.reshape(-1).astype(np.float64)
    start = np.array([1.0, 0.0, 0.0, 0.0])
    weights = start
    for _ in range(_STEPS):
        expected = _logistic(inputs @ weights)
        gradient = inputs.T @ (expected - so) + _PRIOR * (weights - start)
        curvature = (inputs * (expected * (1.0 - expected))[:, np.newaxis]).T @ inputs
        step = np.linalg.solve(curvature + _PRIOR * np.eye(4), gradient)
        # A full step from far away may lead further; one of this size does not.
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-8:
            break
    slope, slope_by_variance, offset, offset_by_variance = (float(value) for value in weights)
    return CalibrationSettings(
        slope=slope,
        slope_by_variance=slope_by_variance,
        offset=offset,
        offset_by_variance=offset_by_variance,
    )
