"""Average precision by category against hand-worked values, a slow version and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.average_precision import (
    average_precision_by_category,
    macro_average_precision,
)


def slow_average_precision(truth: list[bool], scores: list[float]) -> float:
    """One step a distinct score: precision there, times the recall gained there."""
    total, recall_before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        chosen = [t for t, s in zip(truth, scores, strict=True) if s >= threshold]
        recall = sum(chosen) / sum(truth)
        total += sum(chosen) / len(chosen) * (recall - recall_before)
        recall_before = recall
    return total


def test_average_precision__agrees_with_two_other_versions_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        truth = rng.random((12, 5)) < 0.4
        truth[0] = True
        scores = rng.integers(0, 5, size=(12, 5)) / 4.0
        ours = average_precision_by_category(truth, scores)
        slow = [
            slow_average_precision(truth[:, j].tolist(), scores[:, j].tolist()) for j in range(5)
        ]
        theirs = [average_precision_score(truth[:, j], scores[:, j]) for j in range(5)]
        np.testing.assert_allclose(ours, slow, atol=1e-12)
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_average_precision__worked_by_hand() -> None:
    truth = np.array([[True], [False], [True], [False]])
    scores = np.array([[0.9], [0.8], [0.7], [0.1]])
    # Hits at ranks 1 and 3: (1/1 + 2/3) / 2.
    assert average_precision_by_category(truth, scores)[0] == pytest.approx(5 / 6)


def test_average_precision__a_constant_column_scores_its_frequency_whatever_the_order() -> None:
    truth = np.array([[True], [False], [False], [False]])
    for rows in (truth, truth[::-1]):
        assert average_precision_by_category(rows, np.zeros((4, 1)))[0] == 0.25


def test_macro__leaves_out_categories_that_do_not_occur() -> None:
    truth = np.array([[True, False], [False, False]])
    scores = np.array([[0.9, 0.1], [0.1, 0.2]])
    assert np.isnan(average_precision_by_category(truth, scores)[1])
    assert macro_average_precision(truth, scores) == 1.0
    assert np.isnan(macro_average_precision(np.zeros((2, 2), dtype=bool), scores))


def test_average_precision__refuses_nan_and_other_shapes() -> None:
    with pytest.raises(PredictionsError, match="NaN"):
        average_precision_by_category(np.ones((1, 1), dtype=bool), np.array([[np.nan]]))
    with pytest.raises(PredictionsError, match="one shape"):
        average_precision_by_category(np.ones((1, 1), dtype=bool), np.ones((1, 2)))
