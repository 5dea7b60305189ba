"""Where a vehicle was between two entries of its navigation."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.exporting.positions.track import QUANTITIES, Track, make_track, position_at

_START = datetime(2020, 1, 1, 12)


def track(*entries: tuple[float, float, float, float]) -> Track:
    """Return a track of (seconds after the start, latitude, longitude, depth)."""
    start = _START.replace(tzinfo=UTC).timestamp()
    nothing = [math.nan] * len(entries)
    columns = {
        **dict.fromkeys(QUANTITIES, nothing),
        "latitude": [e[1] for e in entries],
        "longitude": [e[2] for e in entries],
        "depth_m": [e[3] for e in entries],
    }
    return make_track([start + e[0] for e in entries], columns, "nav.csv")


def after(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


def test_between_two_entries__a_straight_line() -> None:
    found = position_at(track((0, 10, 20, 100), (10, 11, 22, 300)), after(2.5), max_gap_s=60)
    assert found is not None
    assert (found.latitude, found.longitude, found.depth_m) == (10.25, 20.5, 150)
    assert found.source == "nav.csv"


def test_outside_and_in_a_gap__nothing_is_known() -> None:
    held = track((0, 10, 20, 100), (61, 11, 22, 300))
    for seconds in (-0.001, 30, 61.001):
        assert position_at(held, after(seconds), max_gap_s=60) is None
    at_an_entry = position_at(held, after(61), max_gap_s=60)
    assert at_an_entry is not None
    assert at_an_entry.depth_m == 300
    assert position_at(held, after(30), max_gap_s=61) is not None


def test_date_line__the_short_way() -> None:
    found = position_at(track((0, 0, 179, 1), (10, 0, -179, 1)), after(7.5), max_gap_s=60)
    assert found is not None
    assert found.longitude == pytest.approx(-179.5)


def test_each_quantity__from_the_nearest_that_say_it() -> None:
    nan = math.nan
    held = track((0, 10, 20, 100), (5, nan, nan, 500), (10, 12, 20, nan))
    found = position_at(held, after(5), max_gap_s=60)
    assert found is not None
    assert (found.latitude, found.depth_m) == (11, 500)
    late = position_at(held, after(7), max_gap_s=60)
    assert late is not None
    assert late.depth_m is None  # nothing says the depth behind the last entry that has one
    half = position_at(track((0, 10, nan, 3), (9, 10, nan, 3)), after(1), max_gap_s=60)
    assert half is not None
    assert (half.latitude, half.longitude) == (None, None)


def test_two_entries_at_one_moment__the_later_line_counts() -> None:
    found = position_at(track((3, 1, 1, 1), (0, 0, 0, 0), (3, 2, 2, 2)), after(3), max_gap_s=9)
    assert found is not None
    assert found.depth_m == 2


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.floats(-90, 90), st.floats(0, 90), st.floats(0, 6000)),
        min_size=1,
        max_size=8,
        unique_by=lambda entry: entry[0],
    ),
    st.integers(-10, 110),
)
def test_any_track__as_the_slow_version(
    entries: list[tuple[float, float, float, float]], at: int
) -> None:
    found = position_at(track(*entries), after(at), max_gap_s=25)
    before = [e for e in sorted(entries) if e[0] <= at][-1:]
    behind = [e for e in sorted(entries) if e[0] >= at][:1]
    if not before or not behind or behind[0][0] - before[0][0] > 25:
        assert found is None
        return
    assert found is not None
    span = behind[0][0] - before[0][0]
    share = 0.0 if span == 0 else (at - before[0][0]) / span
    wanted = [a + share * (b - a) for a, b in zip(before[0][1:], behind[0][1:], strict=True)]
    assert [found.latitude, found.longitude, found.depth_m] == pytest.approx(wanted)
