"""Supercategories, trees and detection: by hand and by slow versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.ood_detection import measure_detection
from finding_nemo.uncertainty.rollup import least_expected_distance, roll_up, tree_distances


def test_roll_up__by_hand() -> None:
    said = np.array([[0.5, 0.5, 0.2]])
    for rule, fish in (("noisy-or", 0.75), ("max", 0.5), ("sum", 1.0)):
        names, joined = roll_up(said, ["Fish", "Fish", "Crab"], rule=rule)  # type: ignore[arg-type]
        assert names == ("Crab", "Fish")
        np.testing.assert_allclose(joined, [[0.2, fish]])
    with pytest.raises(PredictionsError, match="got 2 for shape"):
        roll_up(said, ["Fish", "Fish"])


def test_noisy_or__equals_the_product_written_out() -> None:
    said = np.random.default_rng(0).random((20, 4))
    _, joined = roll_up(said, ["a", "a", "a", "b"], rule="noisy-or")
    slow = [1 - math.prod(1 - p for p in row[:3]) for row in said.tolist()]
    np.testing.assert_allclose(joined[:, 0], slow, atol=1e-12)


def test_tree_distances__by_hand() -> None:
    steps = tree_distances([("Fish", "eel"), ("Fish", "ray"), ("Crab", "king"), ("Fish",), ()])
    assert steps[0].tolist() == [0, 2, 4, 1, 2]
    assert (steps == steps.T).all()


def test_least_expected_distance__answers_above_what_it_cannot_tell_apart() -> None:
    steps = tree_distances([("Fish", "eel"), ("Fish", "ray"), ("Crab", "king"), ("Fish",)])[:, :3]
    sure, torn = [0.9, 0.05, 0.05], [0.36, 0.36, 0.28]
    nodes, expected = least_expected_distance(np.array([sure, torn]), steps)
    # Torn: eel 0.36 x 0 + 0.36 x 2 + 0.28 x 4 = 1.84; Fish 0.36 + 0.36 + 0.28 x 3 = 1.56.
    assert nodes.tolist() == [0, 3]
    assert expected[1] == pytest.approx(1.56)
    with pytest.raises(PredictionsError, match="above 0"):
        least_expected_distance(np.zeros((1, 3)), steps)
    with pytest.raises(PredictionsError, match=r"\(nodes, categories\)"):
        least_expected_distance(np.ones((1, 2)), steps)


def test_detection__equals_scikit_learn_and_a_slow_false_alarm_rate() -> None:
    generator = np.random.default_rng(0)
    novel = generator.random(300) < 0.3
    scores = np.round(generator.normal(0, 1, 300) + novel, 1)  # with ties
    dives = [str(row % 12) for row in range(300)]
    found = measure_detection(novel, scores, dives, draws=50)
    assert found.auc == pytest.approx(roc_auc_score(novel, scores), abs=1e-12)
    reaching = [t for t in np.unique(scores) if (scores[novel] >= t).mean() >= 0.95]
    assert found.fpr_at_95 == pytest.approx((scores[~novel] >= max(reaching)).mean(), abs=1e-12)
    assert found.auc_interval.low < found.auc < found.auc_interval.high


def test_detection__by_hand() -> None:
    novel = np.array([True, True, False, False])
    perfect = measure_detection(novel, np.array([4.0, 3.0, 2.0, 1.0]), list("abcd"), draws=10)
    assert (perfect.auc, perfect.fpr_at_95) == (1, 0)
    half = measure_detection(novel, np.zeros(4), list("abcd"), draws=10)
    assert (half.auc, half.fpr_at_95) == (0.5, 1)
    with pytest.raises(PredictionsError, match="1 NaN"):
        measure_detection(novel, np.array([np.nan, 0, 0, 0]), list("abcd"))
    with pytest.raises(PredictionsError, match="0 novel"):
        measure_detection(np.zeros(4, dtype=np.bool_), np.zeros(4), list("abcd"))
