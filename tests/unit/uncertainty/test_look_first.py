"""Which frames to look at first: worked by hand, by a slow version, and for what must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import PredictionsError
from finding_nemo.uncertainty.look_first import guess_doubt, rank_look_first

NAN = math.nan


def test_doubt_by_hand() -> None:
    doubt = guess_doubt(np.array([1.0, 0.5, 0.5, 0.0, NAN]), np.array([0.9, 0.4, 0.0, 0.0, 0.5]))
    # 0 x 1.9; 0.5 x 1.4; 0.5 x 1; 1 x 1; unknown
    np.testing.assert_allclose(doubt, [0.0, 0.7, 0.5, 1.0, NAN])


def test_a_missing_second_guess_is_none() -> None:
    np.testing.assert_allclose(guess_doubt(np.array([0.25]), np.array([NAN])), [0.75])


def test_by_hand_over_one_dive() -> None:
    # 20 frames: two are wanted, and each keeps 4 neighbours on either side away (20 / (2 x 2) = 5).
    interest = np.zeros(20)
    interest[[3, 4, 8, 15]] = [1.0, 0.9, 0.8, 0.7]
    ranks = rank_look_first(interest, interest, ["a"] * 20)
    assert np.flatnonzero(ranks).tolist() == [3, 8]
    assert (ranks[3], ranks[8]) == (1, 2)


def test_every_dive_has_ranks_of_its_own() -> None:
    novelty = np.array([0.1, 0.9, 0.8, 0.2])
    ranks = rank_look_first(novelty, novelty, ["a", "b", "a", "b"])
    assert ranks.tolist() == [0, 1, 1, 0]


def test_frames_of_one_second_are_chosen_once() -> None:
    times = np.repeat([0.0, 100.0], 20) + np.tile(np.linspace(0, 0.95, 20), 2)
    novelty = np.concatenate([np.linspace(0.8, 1.0, 20), np.linspace(0.0, 0.2, 20)])
    ranks = rank_look_first(novelty, novelty, ["a"] * 40, times_s=times)
    assert [ranks[:20].max(), ranks[20:].max()] == [1, 2]
    assert np.count_nonzero(ranks) == 2


def test_an_answer_that_was_chosen_yields_to_another() -> None:
    novelty = np.zeros(30)
    novelty[[0, 10, 20]] = [0.9, 0.85, 0.8]
    answers = ["crab"] * 20 + ["eel"] * 10
    plain = rank_look_first(novelty, novelty, ["a"] * 30)
    mixed = rank_look_first(novelty, novelty, ["a"] * 30, answers=answers)
    assert plain[[0, 10, 20]].tolist() == [1, 2, 3]
    assert mixed[[0, 10, 20]].tolist() == [1, 3, 2]  # 0.85 x 0.9 = 0.765 < 0.8


def test_failed_frames_are_never_chosen_and_half_known_ones_may_be() -> None:
    ranks = rank_look_first(np.array([NAN, NAN, 0.4]), np.array([NAN, 0.5, NAN]), ["", None, ""])
    assert ranks.tolist() == [0, 1, 0]
    assert rank_look_first(np.full(3, NAN), np.full(3, NAN), ["a"] * 3).tolist() == [0, 0, 0]
    assert rank_look_first(np.empty(0), np.empty(0), []).tolist() == []


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(PredictionsError, match=r"each of the 2 frames, got \(3,\)"):
        rank_look_first(np.zeros(3), np.zeros(2), ["a", "b"])


def _slowly(interest: list[float], dives: list[str], most: int) -> list[int]:
    ranks = [0] * len(interest)
    for dive in set(dives):
        rows = [row for row, name in enumerate(dives) if name == dive]
        wanted = min(most, math.ceil(len(rows) / 10))
        reach = max(1, len(rows) // (2 * wanted))
        free = {place: interest[row] for place, row in enumerate(rows)}
        for rank in range(1, wanted + 1):
            if not free:
                break
            best = max(free, key=lambda place: (free[place], -place))
            ranks[rows[best]] = rank
            free = {place: value for place, value in free.items() if abs(place - best) >= reach}
    return ranks


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abc")), min_size=1, max_size=120),
    st.integers(1, 6),
)
@settings(max_examples=60)
def test_equals_a_slow_version(rows: list[tuple[float, str]], most: int) -> None:
    interest = [value for value, _ in rows]
    dives = [dive for _, dive in rows]
    found = rank_look_first(np.array(interest), np.array(interest), dives, most=most)
    # The mean of a number and itself is that number.
    assert found.tolist() == _slowly(interest, dives, most)


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True), st.floats(allow_nan=True), st.sampled_from(["a", "b", ""])
        ),
        max_size=80,
    )
)
@settings(max_examples=60)
def test_ranks_are_whole_whatever_comes(rows: list[tuple[float, float, str]]) -> None:
    novelty = np.array([row[0] for row in rows], dtype=np.float64)
    doubt = np.array([row[1] for row in rows], dtype=np.float64)
    dives = [row[2] for row in rows]
    ranks = rank_look_first(novelty, doubt, dives, times_s=novelty)
    assert ranks.tolist() == rank_look_first(novelty, doubt, dives, times_s=novelty).tolist()
    for dive in set(dives):
        of_dive = sorted(rank for rank, name in zip(ranks, dives, strict=True) if name == dive)
        chosen = [rank for rank in of_dive if rank]
        assert chosen == list(range(1, len(chosen) + 1))
    assert not ranks[~np.isfinite(novelty) & ~np.isfinite(doubt)].any()
