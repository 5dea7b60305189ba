"""Logistic regression of a few numbers, which a few images cannot make run away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s

# Newton's steps converge in under ten; a longer step than this leaves where they are trusted.
_STEPS = 100
_LONGEST_STEP = 1.0
_CONVERGED = 1e-9


def sigmoid(logits: npt.NDArray[np.floating]) -> Float64s:
    """Return 1 / (1 + exp(-logit)) without overflow, same shape."""
    result: Float64s = 0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))
    return result


def fit_logistic(
    columns: Float64s, truth: npt.NDArray[np.bool_], *, start: Float64s, pull: float = 1.0
) -> Float64s:
    """Return the weights with the least cross-entropy of sigmoid(columns @ weights).

    Args:
        columns: Shape (cells, weights).
        truth: Shape (cells,).
        start: What the weights are before anything is seen, shape (weights,).
        pull: How strongly they are held there: the penalty is pull / 2 times the squared distance,
            beside the cross-entropy summed over cells. Above 0, so that separable cells or equal
            columns have one answer too.
    """
    weights = start.astype(np.float64)
    held = pull * np.eye(len(start))
    for _ in range(_STEPS):
        probabilities = sigmoid(columns @ weights)
        gradient = columns.T @ (probabilities - truth) + pull * (weights - start)
        curvature = (
            columns * (probabilities * (1 - probabilities))[:, np.newaxis]
        ).T @ columns + held
        step = np.linalg.solve(curvature, gradient)
        length = float(np.linalg.norm(step))
        weights = weights - step * min(1.0, _LONGEST_STEP / max(length, _CONVERGED))
        if length < _CONVERGED:
            break
    return weights
