"""MAP@20 against hand-worked values and an independent slow version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo import map_at_k
from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.ranking import (
    average_precision_at_k,
    average_precision_of_ranking,
    map_at_k_of_rankings,
    rank_columns,
)


def slow_rank(scores: list[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda column: (-scores[column], column))


def slow_average_precision(truth: set[int], ranked: list[int], k: int) -> float:
    """The definition, word by word: every rank looks back at all ranks before it."""
    if not truth:
        return 0.0
    total = 0.0
    for rank in range(1, min(k, len(ranked)) + 1):
        guess = ranked[rank - 1]
        relevant = guess in truth and guess not in ranked[: rank - 1]
        if relevant:
            correct = len({g for g in ranked[:rank] if g in truth})
            total += correct / rank
    return total / min(len(truth), k)


def test_map_at_k__agrees_with_the_slow_version_on_2000_cases_with_ties_and_empty_sets() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        n_images, n_categories, k = (
            rng.integers(1, 6),
            rng.integers(1, 40),
            int(rng.integers(1, 25)),
        )
        scores = rng.integers(0, 6, size=(n_images, n_categories)) / 5.0
        truth = rng.random((n_images, n_categories)) < rng.random() * 0.4
        slow = [
            slow_average_precision(set(np.flatnonzero(t).tolist()), slow_rank(s.tolist()), k)
            for t, s in zip(truth, scores, strict=True)
        ]
        assert abs(map_at_k(truth, scores, k=k) - float(np.mean(slow))) < 1e-12


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_rank__is_stable_for_ties_zeros_and_infinities_in_every_float(
    kind: type[np.floating[Any]],
) -> None:
    rng = np.random.default_rng(5)
    values = np.array([-np.inf, -2.5, -1e-7, -0.0, 0.0, 1e-7, 0.5, 3.0, np.inf], dtype=kind)
    scores = rng.choice(values, size=(200, 31))
    for k in (1, 20, 31, 40):
        expected = [slow_rank(row.tolist())[:k] for row in scores]
        assert rank_columns(scores, k=k).tolist() == expected


def test_rankings__agree_with_the_slow_version_on_2000_cases_with_repeats_and_empty_sets() -> None:
    rng = np.random.default_rng(1)
    for _ in range(2000):
        truth = set(rng.integers(1, 30, size=rng.integers(0, 8)).tolist())
        ranked = rng.integers(1, 30, size=rng.integers(0, 30)).tolist()
        k = int(rng.integers(1, 25))
        fast = average_precision_of_ranking(truth, ranked, k=k)
        assert abs(fast - slow_average_precision(truth, ranked, k)) < 1e-12


@pytest.mark.parametrize(
    ("truth", "ranked", "expected"),
    [
        pytest.param({1, 3, 5}, [1, 2, 3, 4, 5], (1 + 2 / 3 + 3 / 5) / 3, id="three-of-five"),
        pytest.param({1}, [2, 1], 0.5, id="second-place"),
        pytest.param({1}, [2, 2, 1], 1 / 3, id="a-repeat-keeps-its-place"),
        pytest.param({1}, [1, 1, 1], 1.0, id="a-repeated-hit-counts-once"),
        pytest.param({7}, [1, 2], 0.0, id="missed"),
        pytest.param(set(), [1, 2], 0.0, id="nothing-true"),
    ],
)
def test_average_precision__of_cases_worked_by_hand(
    truth: set[int], ranked: list[int], expected: float
) -> None:
    assert average_precision_of_ranking(truth, ranked) == pytest.approx(expected, abs=1e-15)


def test_average_precision__divides_by_k_where_more_is_true_than_k_guesses_can_hold() -> None:
    truth = np.array([[True, False, True, False, True]])
    scores = np.array([[5.0, 4.0, 3.0, 2.0, 1.0]])
    # Ranks 1 and 2 hold one hit: (1/1) / min(3, 2).
    assert map_at_k(truth, scores, k=2) == 0.5


def test_map_at_k__does_not_drop_true_categories_with_scores_at_or_below_zero() -> None:
    logits = np.array([[2.0, -1.0, -2.0]])
    truth = np.array([[True, False, True]])
    assert map_at_k(truth, logits) == pytest.approx((1 + 2 / 3) / 2)


def test_map_at_k__an_image_with_nothing_true_counts_zero_or_is_skipped_as_asked() -> None:
    truth = np.array([[True, False], [False, False]])
    scores = np.array([[0.9, 0.1], [0.9, 0.1]])
    assert map_at_k(truth, scores) == 0.5
    assert map_at_k(truth, scores, empty="skip") == 1.0
    assert np.isnan(average_precision_at_k(truth, scores)).tolist() == [False, True]


def test_map_at_k__skipping_every_image_is_an_error() -> None:
    with pytest.raises(PredictionsError, match="at least one image"):
        map_at_k(np.zeros((2, 3), dtype=bool), np.ones((2, 3)), empty="skip")


@pytest.mark.parametrize("ranked", [[1, 2, 3, 4, 5], [1, 1, 1, 1, 1], [1, 2, 1, 3, 1]])
def test_the_competitions_own_examples__score_one(ranked: list[int]) -> None:
    assert map_at_k_of_rankings([{1}], [ranked]) == 1.0


def test_rank_columns__equal_scores_keep_column_order_across_the_border() -> None:
    scores = np.zeros((2, 290))
    scores[1, 100] = 1.0
    assert rank_columns(scores)[0].tolist() == list(range(20))
    assert rank_columns(scores)[1].tolist() == [100, *range(19)]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=30, max_size=30),
        min_size=1,
        max_size=4,
    )
)
def test_rank_columns__equals_a_full_stable_sort(rows: list[list[float]]) -> None:
    ranked = rank_columns(np.array(rows), k=7)
    assert ranked.tolist() == [slow_rank(row)[:7] for row in rows]


@pytest.mark.parametrize(
    ("scores", "k", "message"),
    [
        pytest.param(np.zeros(3), 20, r"got shape \(3,\)", id="one-dimensional"),
        pytest.param(np.array([[0.0], [np.nan]]), 20, "first bad row: 1", id="nan"),
        pytest.param(np.zeros((1, 3)), 0, "k must be at least 1, got 0", id="k-zero"),
    ],
)
def test_rank_columns__says_what_is_wrong(scores: np.ndarray, k: int, message: str) -> None:
    with pytest.raises(PredictionsError, match=message):
        rank_columns(scores, k=k)


def test_map_at_k__refuses_shapes_that_differ() -> None:
    with pytest.raises(PredictionsError, match="one shape"):
        map_at_k(np.zeros((2, 3), dtype=bool), np.zeros((2, 4)))
    with pytest.raises(PredictionsError, match="2 rankings and 1 truths"):
        map_at_k_of_rankings([{1}], [[1], [2]])
