"""Heads that other dives trained, against least squares solved another way."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.core.arrays import Bools, Float32s, Float64s
from finding_nemo.evaluation.label_errors.out_of_fold import (
    combine_evidence,
    fold_of_dives,
    ridge_scores,
)


def test_fold_of_dives__largest_first_and_none_in_two() -> None:
    dives = ["a"] * 5 + ["b"] * 3 + ["c"] * 2 + ["d"]
    folds = fold_of_dives(dives, n_folds=2)
    by_dive = {
        dive: {int(f) for d, f in zip(dives, folds, strict=True) if d == dive} for dive in "abcd"
    }
    # 5 | 3, then 2 to the smaller, then 1 to the first of equal ones.
    assert by_dive == {"a": {0}, "b": {1}, "c": {1}, "d": {0}}
    assert set(fold_of_dives(["x", "x"]).tolist()) == {0}


def _slow_ridge(features: Float32s, labels: Bools, train: Bools) -> Float64s:
    """Least squares with rows of the penalty below the data."""
    values, truth = features[train].astype(np.float64), labels[train].astype(np.float64)
    mean, n_features = truth.mean(axis=0), features.shape[1]
    penalty = np.sqrt(train.sum() / n_features) * np.eye(n_features)
    below = np.zeros((n_features, labels.shape[1]))
    found = np.linalg.lstsq(np.vstack([values, penalty]), np.vstack([truth - mean, below]))[0]
    return np.asarray(mean + features[~train] @ found)


def test_ridge_scores__like_least_squares() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 6)).astype(np.float32)
    labels, folds = rng.random((80, 3)) < 0.4, rng.integers(0, 3, 80)
    found = ridge_scores(features, labels, folds)
    for fold in range(3):
        slow = _slow_ridge(features, labels, folds != fold)
        assert found[folds == fold] == pytest.approx(slow, abs=1e-6)


def test_ridge_scores__do_not_know_the_labels_of_their_fold() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(40, 4)).astype(np.float32)
    labels, folds = rng.random((40, 2)) < 0.5, np.arange(40) % 2
    before = ridge_scores(features, labels, folds)
    labels[folds == 0] = ~labels[folds == 0]
    assert ridge_scores(features, labels, folds)[folds == 0] == pytest.approx(before[folds == 0])


def test_combine_evidence__follows_what_is_right() -> None:
    rng = np.random.default_rng(2)
    labels, folds = rng.random((400, 3)) < 0.3, np.arange(400) % 4
    good = np.where(labels, 0.8, 0.2)
    found = combine_evidence([good, rng.random((400, 3))], labels, folds)
    assert found[labels].min() > 0.9
    assert found[~labels].max() < 0.1
