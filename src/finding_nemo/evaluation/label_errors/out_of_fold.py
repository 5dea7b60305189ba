"""What the frames of other dives, and of other clips, say of each label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from finding_nemo.core.arrays import Bools, Float32s, Float64s, Ints
from finding_nemo.uncertainty.logistic import fit_logistic, sigmoid

N_FOLDS = 4
_PENALTY = 1.0
_ROWS_AT_A_TIME = 4096
# Cells (a frame and a category) from which three weights are fitted.
_CELLS = 400_000
_LEAST_PROBABILITY = 1e-4


def fold_of_dives(dives: Sequence[str], *, n_folds: int = N_FOLDS) -> Ints:
    """Return a fold for each frame such that no dive is in two and folds are about equally large.

    The largest dives are given first, each to the smallest fold so far.

    Args:
        dives: The dive of each frame.
        n_folds: How many folds; dives that are fewer fill fewer.
    """
    sizes = [0] * n_folds
    fold_of: dict[str, int] = {}
    for dive, count in sorted(Counter(dives).items(), key=lambda item: (-item[1], item[0])):
        fold_of[dive] = int(np.argmin(sizes))
        sizes[fold_of[dive]] += count
    return np.array([fold_of[dive] for dive in dives], dtype=np.int64)


def ridge_scores(features: Float32s, labels: Bools, folds: Ints) -> Float64s:
    """Return what a linear head says of each fold that the other folds trained.

    Ridge regression of the labels, solved at once: the penalty is as strong as the features'
    mean variance.

    Args:
        features: Of unit length, shape (frames, features).
        labels: As annotated, shape (frames, categories).
        folds: Shape (frames,), at least two.

    Returns:
        About 0 (absent) to about 1 (present), shape (frames, categories).

    Source: A. Hoerl and R. Kennard, "Ridge Regression", Technometrics 1970.
    """
    numbers = np.unique(folds).tolist()
    moments = [_moments(features, labels, np.flatnonzero(folds == fold)) for fold in numbers]
    n_features = features.shape[1]
    scores = np.zeros(labels.shape)
    for index, fold in enumerate(numbers):
        others = [moment for other, moment in enumerate(moments) if other != index]
        n_train = int((folds != fold).sum())
        square = sum((moment[0] for moment in others), np.zeros((n_features, n_features)))
        product = sum((moment[1] for moment in others), np.zeros((n_features, labels.shape[1])))
        total = sum((moment[2] for moment in others), np.zeros(n_features))
        mean = labels[folds != fold].mean(axis=0)
        square.flat[:: n_features + 1] += _PENALTY * n_train / n_features
        weights = np.linalg.solve(square, product - np.outer(total, mean))
        rows = np.flatnonzero(folds == fold)
        scores[rows] = mean + features[rows] @ weights
    return scores


def _moments(features: Float32s, labels: Bools, rows: Ints) -> tuple[Float64s, Float64s, Float64s]:
    """Return sums of features by features, features by labels, and features, of some frames."""
    n_features = features.shape[1]
    square = np.zeros((n_features, n_features))
    product = np.zeros((n_features, labels.shape[1]))
    total = np.zeros(n_features)
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        own = rows[start : start + _ROWS_AT_A_TIME]
        values = features[own].astype(np.float64)
        square += values.T @ values
        product += values.T @ labels[own]
        total += values.sum(axis=0)
    return square, product, total


def combine_evidence(parts: Sequence[Float64s], labels: Bools, folds: Ints) -> Float64s:
    """Return one probability of each label from several, weighted by logistic regression.

    The weights for a fold are fitted on the labels of the other folds.

    Args:
        parts: Each in about [0, 1], shape (frames, categories).
        labels: As annotated, same shape.
        folds: Shape (frames,), at least two.
    """
    found = np.zeros(labels.shape)
    for fold in np.unique(folds).tolist():
        train = np.flatnonzero(folds != fold)
        n_rows = max(1, min(len(train), _CELLS // labels.shape[1]))
        sample = train[np.linspace(0, len(train) - 1, n_rows).astype(np.int64)]
        columns = np.column_stack([np.ones(labels[sample].size), *_logits(parts, sample)])
        weights = fit_logistic(columns, labels[sample].ravel(), start=np.zeros(len(parts) + 1))
        own = np.flatnonzero(folds == fold)
        logits = weights[0] + sum(
            weight * values for weight, values in zip(weights[1:], _logits(parts, own), strict=True)
        )
        found[own] = sigmoid(logits).reshape(len(own), -1)
    return found


def _logits(parts: Sequence[Float64s], rows: Ints) -> list[Float64s]:
    found = []
    for part in parts:
        held = np.clip(part[rows].ravel(), _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
        found.append(np.asarray(np.log(held / (1 - held))))
    return found
