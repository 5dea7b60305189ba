"""When what was seen: bins worked by hand, and what holds for any dive."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.reporting.dive.dive_frames import Frame
from finding_nemo.reporting.dive.dive_timeline import timeline_of

_START = datetime(2015, 5, 7, 8, 12, 30)
_FRAME = Frame(
    image_id="i",
    path="i.png",
    dive="",
    captured=None,
    time_s=None,
    width=None,
    height=None,
    failure="",
    answer=0,
    answer_probability=math.nan,
    confidence=0,
    why="",
    guesses=(),
    also_named=(),
    novelty_percentile=math.nan,
    look_first=0,
)


def at(*seconds: float) -> list[Frame]:
    return [replace(_FRAME, captured=_START + timedelta(seconds=s)) for s in seconds]


def test_bins_of_time_by_hand() -> None:
    # 600 s in at most 12 bins: steps of a minute, from 08:12:00 on.
    frames = at(0, 29, 30, 600)
    frames[3] = replace(frames[3], answer=2)
    found = timeline_of(frames, most_bins=12)
    assert found.step == "1 minute"
    assert found.bins == (0, 0, 1, 10)
    assert found.labels[:2] == ("2015-05-07 08:12:00", "2015-05-07 08:13:00")
    assert len(found.labels) == len(found.n_frames) == 11
    assert found.n_frames == (2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert found.cells == {(0, 0): 2, (1, 0): 1, (10, 2): 1}


def test_frames_without_time__are_binned_in_their_order() -> None:
    frames = [replace(_FRAME, answer=None if n == 4 else n % 2) for n in range(7)]
    found = timeline_of(frames, most_bins=3)
    assert (found.step, found.labels, found.bins) == (
        "3 frames",
        ("1", "4", "7"),
        (0, 0, 0, 1, 1, 1, 2),
    )
    assert found.n_frames == (3, 2, 1)
    assert found.cells == {(0, 0): 2, (0, 1): 1, (1, 1): 2, (2, 0): 1}


def test_one_video__has_its_own_clock_and_two_have_none() -> None:
    frames = [replace(_FRAME, time_s=float(s)) for s in (0, 30, 3700)]
    found = timeline_of(frames, most_bins=10)
    assert found.labels[0] == "0:00:00"
    assert found.labels[-1] == "1:00:00"
    two = [replace(frame, path=f"{n}.mp4") for n, frame in enumerate(frames)]
    assert timeline_of(two).step == "1 frame"


def test_a_clock_that_stands_still__gives_way_to_the_order() -> None:
    assert timeline_of(at(0, 0, 0)).step == "1 frame"


@pytest.mark.parametrize(("span_s", "step"), [(40, "1 second"), (3 * 86400, "2 hours")])
def test_steps__are_those_that_people_count_in(span_s: float, step: str) -> None:
    assert timeline_of(at(0, span_s)).step == step


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=60),
    st.integers(4, 60),
    st.booleans(),
)
@settings(max_examples=60)
def test_every_frame__is_in_a_bin_that_holds_its_time(
    seconds: list[int], most: int, has_time: bool
) -> None:
    frames = at(*sorted(seconds)) if has_time else [_FRAME] * len(seconds)
    found = timeline_of(frames, most_bins=most)
    assert len(found.labels) <= most
    assert sum(found.n_frames) == len(frames)
    assert found.bins[0] == 0
    assert list(found.bins) == sorted(found.bins)
    assert sum(found.cells.values()) == len(frames)
    for frame, place in zip(frames, found.bins, strict=True):
        label = found.labels[place]
        if frame.captured is not None and len(label) > 12:
            assert datetime.fromisoformat(label) <= frame.captured
