"""Leakage by hand, and against a version that looks at every pair of frames."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.metrics.baselines import FrameKey
from finding_nemo.metrics.leakage import (
    Leakage,
    measure_leakage,
    seconds_to_nearest,
    seconds_to_next,
)

_NAN = float("nan")
_INF = float("inf")

KEYS = st.lists(
    st.builds(
        FrameKey,
        dive=st.sampled_from(["", "a", "b", "c"]),
        time_s=st.one_of(st.just(_NAN), st.integers(0, 200).map(float)),
        sequence=st.just(""),
        frame_number=st.just(_NAN),
    ),
    max_size=12,
)
PROPERTY = settings(max_examples=200, deadline=None, derandomize=True)


def frame(dive: str, time_s: float = _NAN) -> FrameKey:
    return FrameKey(dive, float(time_s), "", _NAN)


def slow_gap(others: list[FrameKey], key: FrameKey) -> float:
    """Look at every other frame; a comparison with NaN is false, so it never wins."""
    nearest = _INF
    for other in others:
        if key.dive and other.dive == key.dive and abs(other.time_s - key.time_s) < nearest:
            nearest = abs(other.time_s - key.time_s)
    return nearest


def slow_leakage(train: list[FrameKey], test: list[FrameKey]) -> Leakage:
    """Count frame by frame."""
    if not test:
        return Leakage(0, _NAN, _NAN, _NAN)
    same = near = close = 0
    for key in test:
        same += any(key.dive and key.dive == other.dive for other in train)
        near += slow_gap(train, key) <= 10
        close += slow_gap(train, key) <= 60
    n = len(test)
    if all(key.time_s != key.time_s for key in train + test):
        return Leakage(n, same / n, _NAN, _NAN)
    return Leakage(n, same / n, near / n, close / n)


def assert_same(found: Leakage, expected: Leakage) -> None:
    np.testing.assert_equal(astuple(found), astuple(expected))


def test_leakage__is_as_worked_by_hand() -> None:
    train = [frame("a", 100), frame("a", 300), frame("b", 0), frame("c"), frame("", 100)]
    test = [
        frame("a", 110),  # 10 s: in both spans
        frame("a", 111),  # 11 s
        frame("a", 240),  # 60 s
        frame("a", 361),  # 61 s: same dive only
        frame("b", 100),  # same dive only; 0 s from a frame of another dive
        frame("c", 5),  # same dive, whose training frame has no time
        frame("d", 100),  # a dive of its own
        frame("", 100),  # no dive: no neighbour, though another frame has none either
    ]
    assert measure_leakage(train, test) == Leakage(8, 6 / 8, 1 / 8, 3 / 8)


def test_leakage__is_total_on_a_cut_dive_and_none_by_dive() -> None:
    dive = [frame("a", 5.0 * i) for i in range(20)]
    assert measure_leakage(dive[::2], dive[1::2]) == Leakage(10, 1.0, 1.0, 1.0)
    other = [frame("b", 5.0 * i) for i in range(20)]
    assert measure_leakage(dive, other) == Leakage(20, 0.0, 0.0, 0.0)


def test_leakage__without_times_only_the_dive_is_known() -> None:
    assert_same(
        measure_leakage([frame("a")], [frame("a"), frame("b")]), Leakage(2, 0.5, _NAN, _NAN)
    )


def test_leakage__without_frames() -> None:
    assert_same(measure_leakage([frame("a", 0)], []), Leakage(0, _NAN, _NAN, _NAN))
    assert_same(measure_leakage([], [frame("a", 0)]), Leakage(1, 0.0, 0.0, 0.0))
    assert_same(measure_leakage([], []), Leakage(0, _NAN, _NAN, _NAN))


@given(train=KEYS, test=KEYS)
@PROPERTY
def test_leakage__agrees_with_looking_at_every_pair(
    train: list[FrameKey], test: list[FrameKey]
) -> None:
    assert_same(measure_leakage(train, test), slow_leakage(train, test))


@given(others=KEYS, frames=KEYS)
@PROPERTY
def test_seconds_to_nearest__agrees_with_looking_at_every_pair(
    others: list[FrameKey], frames: list[FrameKey]
) -> None:
    expected = [slow_gap(others, key) for key in frames]
    assert seconds_to_nearest(others, frames).tolist() == expected


@given(frames=KEYS)
@PROPERTY
def test_seconds_to_next__agrees_with_leaving_the_frame_itself_out(frames: list[FrameKey]) -> None:
    expected = [slow_gap(frames[:i] + frames[i + 1 :], key) for i, key in enumerate(frames)]
    assert seconds_to_next(frames).tolist() == expected


def test_seconds_to_next__is_as_worked_by_hand() -> None:
    frames = [frame("a", 7), frame("a", 0), frame("b", 1), frame("a", 2), frame("", 7), frame("a")]
    assert seconds_to_next(frames).tolist() == pytest.approx([5, 2, _INF, 2, _INF, _INF])


@given(train=KEYS, test=KEYS, seed=st.integers(0, 99))
@PROPERTY
def test_leakage__the_order_of_the_frames_changes_nothing(
    train: list[FrameKey], test: list[FrameKey], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mixed_train = [train[i] for i in rng.permutation(len(train))]
    mixed_test = [test[i] for i in rng.permutation(len(test))]
    assert_same(measure_leakage(mixed_train, mixed_test), measure_leakage(train, test))
