"""AUC and the final score, against counting every pair and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.roc_auc import competition_score, roc_auc
from finding_nemo.metrics.thresholded import scores_at_threshold

CASES = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=30).filter(
    lambda rows: 0 < sum(positive for positive, _ in rows) < len(rows)
)


def slow_auc(positive: np.ndarray, scores: np.ndarray) -> float:
    """Compare every positive with every negative."""
    wins = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in scores[positive]
        for low in scores[~positive]
    ]
    return sum(wins) / len(wins)


@given(rows=CASES)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_auc__agrees_with_every_pair_and_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    positive = np.array([row[0] for row in rows])
    scores = np.array([float(row[1]) for row in rows])
    found = roc_auc(positive, scores)
    assert found == pytest.approx(slow_auc(positive, scores), abs=1e-12)
    assert found == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_auc__worked_by_hand() -> None:
    # Pairs (0.9, 0.1), (0.9, 0.4), (0.4, 0.1) won, (0.4, 0.4) half: 3.5 of 4.
    positive = np.array([True, False, True, False])
    assert roc_auc(positive, np.array([0.9, 0.1, 0.4, 0.4])) == 3.5 / 4
    assert roc_auc(positive, np.ones(4)) == 0.5


def test_final_score__is_the_mean_of_both_halves() -> None:
    assert competition_score(0.6, 0.75) == pytest.approx((0.6 + 0.5) / 2)
    assert competition_score(0.0, 0.0) == -0.5
    assert competition_score(1.0, 1.0) == 1.0


@pytest.mark.parametrize(
    ("positive", "scores", "message"),
    [
        ([True, True], [0.1, 0.2], "got 2 out of sample and 0 in"),
        ([True, False], [0.1, np.nan], "got NaN"),
        ([True], [0.1, 0.2], r"one score an image, got \(1,\) and \(2,\)"),
    ],
)
def test_auc__says_what_is_wrong(positive: list[bool], scores: list[float], message: str) -> None:
    with pytest.raises(PredictionsError, match=message):
        roc_auc(np.array(positive), np.array(scores))


def test_at_half__agrees_with_scikit_learn_over_all_cells() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random((50, 9)) < 0.2
    scores = np.where(truth, 0.35, 0.1) + rng.random((50, 9)) * 0.5
    found = scores_at_threshold(truth, scores)
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth.ravel(), (scores >= 0.5).ravel(), average="binary"
    )
    assert (found.precision, found.recall) == pytest.approx((precision, recall))
    assert found.f1 == pytest.approx(f1)
    assert found.accuracy == pytest.approx(np.mean(truth == (scores >= 0.5)))
    assert found.accuracy_of_nothing == pytest.approx(1 - truth.mean())


def test_at_half__worked_by_hand() -> None:
    truth = np.array([[True, False], [True, False]])
    found = scores_at_threshold(truth, np.array([[0.5, 0.7], [0.2, 0.1]]))
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert (found.accuracy, found.accuracy_of_nothing) == (0.5, 0.5)
    silent = scores_at_threshold(truth, np.zeros((2, 2)))
    assert np.isnan(silent.precision)
    assert silent.recall == 0
