"""Novelty from what the network says of each category: higher is further out, continuous."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import PredictionsError


def max_probability_novelty(
    probabilities: npt.NDArray[np.floating],
) -> Float64s:
    """Return one minus the largest probability of each image, in [0, 1], shape (images,).

    Args:
        probabilities: Shape (images, categories), in [0, 1], no NaN.

    Raises:
        PredictionsError: If the shape is another or a value is NaN.

    Source:
        Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
        Examples in Neural Networks", ICLR 2017, arXiv:1610.02136 (with sigmoids).
    """
    _check(probabilities, "probabilities")
    novelty: Float64s = 1.0 - probabilities.max(axis=1).astype(np.float64)
    return novelty


def max_logit_novelty(logits: npt.NDArray[np.floating]) -> Float64s:
    """Return minus the largest logit of each image, shape (images,).

    With sigmoids it orders images as the largest probability does, without its saturation.

    Args:
        logits: Shape (images, categories), no NaN.

    Raises:
        PredictionsError: If the shape is another or a value is NaN.

    Source:
        Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World Settings",
        ICML 2022, arXiv:1911.11132.
    """
    _check(logits, "logits")
    novelty: Float64s = -logits.max(axis=1).astype(np.float64)
    return novelty


def joint_energy_novelty(logits: npt.NDArray[np.floating]) -> Float64s:
    """Return minus the sum over categories of log(1 + exp(logit)), at most 0, shape (images,).

    It takes an image for known as soon as it holds known animals, whatever else is in it.

    Args:
        logits: Shape (images, categories), no NaN.

    Raises:
        PredictionsError: If the shape is another or a value is NaN.

    Source:
        Wang et al., "Can multi-label classification networks know what they don't know?",
        NeurIPS 2021, arXiv:2109.14162 (with the sign turned).
    """
    _check(logits, "logits")
    novelty: Float64s = -np.logaddexp(0.0, logits.astype(np.float64)).sum(axis=1)
    return novelty


def log_sum_exp(logits: npt.NDArray[np.floating]) -> Float64s:
    """Return log(sum over categories of exp(logit)), shape (images,): higher is more known."""
    _check(logits, "logits")
    values = logits.astype(np.float64)
    top = values.max(axis=1, keepdims=True)
    total: Float64s = top[:, 0] + np.log(np.exp(values - top).sum(axis=1))
    return total


def entropy_novelty(logits: npt.NDArray[np.floating]) -> Float64s:
    """Return the summed entropy of the categories' sigmoids in nats, at least 0, shape (images,).

    Args:
        logits: Shape (images, categories), no NaN.

    Raises:
        PredictionsError: If the shape is another or a value is NaN.
    """
    _check(logits, "logits")
    values = np.abs(logits.astype(np.float64))
    # H(p) = log(1 + e^-|x|) + |x| p(-|x|): no 0 log 0 where a sigmoid saturates.
    novelty: Float64s = (np.logaddexp(0.0, -values) + values / (1 + _exp(values))).sum(axis=1)
    return novelty


def _exp(values: Float64s) -> Float64s:
    # Above 700 the quotient is 0 in any case, and exp would overflow.
    result: Float64s = np.exp(np.minimum(values, 700.0))
    return result


def _check(values: npt.NDArray[np.floating], name: str) -> None:
    if values.ndim != 2 or values.shape[1] == 0:
        raise PredictionsError(f"{name} must be (images, categories), got shape {values.shape}.")
    bad_rows = np.flatnonzero(np.isnan(values).any(axis=1))
    if bad_rows.size:
        raise PredictionsError(f"{name} must not be NaN; first bad row: {bad_rows[0]}.")
