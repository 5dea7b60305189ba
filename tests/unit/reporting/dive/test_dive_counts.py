"""Counts by dive, hour and name: by hand, and against a slow version."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.reporting.dive.dive_counts import (
    count_frames,
    counts_table,
    effort_table,
)
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame, Name
from finding_nemo.reporting.dive.survey_cells import cells_of, hour_of
from finding_nemo.uncertainty.answers import CONFIDENCES

_NAMES = (Name(text="crab", supercategory="Crustacea"), Name(text="eel"), Name(text="=squid"))


def frame(
    answer: int | None = 0,
    confidence: int | None = 0,
    *,
    dive: str = "a",
    captured: datetime | None = None,
    time_s: float | None = None,
    also: tuple[int, ...] = (),
    unusual: float = math.nan,
    depth_m: float | None = None,
) -> Frame:
    return Frame(
        image_id="i",
        path="i.png",
        dive=dive,
        captured=captured,
        time_s=time_s,
        width=4,
        height=3,
        failure="" if answer is not None else "is empty",
        answer=answer,
        answer_probability=math.nan,
        confidence=confidence if answer is not None else None,
        why="",
        guesses=(),
        also_named=also,
        novelty_percentile=unusual,
        look_first=0,
        depth_m=depth_m,
    )


def dive_of(*frames: Frame) -> DiveFrames:
    return DiveFrames(
        frames=frames,
        names=_NAMES,
        words=CONFIDENCES,
        has_own_words=True,
        map_grid=None,
        metadata={},
    )


def test_counts_by_hand() -> None:
    counts = count_frames(
        [frame(0, 0), frame(0, 2, also=(1,)), frame(1, 1, unusual=0.95), frame(None)], 3
    )
    assert list(counts.names) == [0, 1]
    assert counts.names[0].by_word == [1, 0, 1]
    assert counts.names[0].n_frames == 2
    assert (counts.names[1].by_word, counts.names[1].also_named) == ([0, 1, 0], 1)
    effort = counts.effort
    assert (effort.n_frames, effort.n_readable, effort.n_named, effort.n_unusual) == (4, 3, 2, 1)
    assert counts.failures == {"is empty": 1}


def test_hour__is_of_the_clock_or_of_the_video_or_a_bare_date() -> None:
    assert hour_of(frame(captured=datetime(2015, 5, 7, 8, 59, 59))) == "2015-05-07 08:00"
    assert hour_of(frame(captured=datetime(2015, 5, 7))) == "2015-05-07"
    assert hour_of(frame(time_s=3599.9)) == "video hour 1"
    assert hour_of(frame(time_s=3600.0)) == "video hour 2"
    assert hour_of(frame()) == ""


def test_tables_by_hand() -> None:
    eight = datetime(2015, 5, 7, 8, 30)
    found = dive_of(
        frame(0, 0, captured=eight, depth_m=199.9),
        frame(2, 1, captured=eight, depth_m=200.0),
        frame(0, 1, captured=eight + timedelta(hours=1)),
        frame(None, dive="b"),
    )
    assert counts_table(found, depth_band_m=100) == [
        (
            *("dive", "hour", "depth_from_m", "depth_to_m", "name", "supercategory", "frames"),
            *("sure_frames", "likely_frames", "guess_frames", "also_named_frames"),
        ),
        ("a", "2015-05-07 08:00", "100", "200", "crab", "Crustacea", 1, 1, 0, 0, 0),
        ("a", "2015-05-07 08:00", "200", "300", "=squid", "", 1, 0, 1, 0, 0),
        ("a", "2015-05-07 09:00", "", "", "crab", "Crustacea", 1, 0, 1, 0, 0),
    ]
    assert effort_table(found, depth_band_m=100)[1:] == [
        ("a", "2015-05-07 08:00", "100", "200", 1, 1, 1, 0, 1),
        ("a", "2015-05-07 08:00", "200", "300", 1, 1, 1, 0, 1),
        ("a", "2015-05-07 09:00", "", "", 1, 1, 1, 0, 1),
        ("b", "", "", "", 1, 0, 0, 0, 1),
    ]


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 2)),
            st.integers(0, 2),
            st.sampled_from("ab"),
            st.integers(0, 4),
        ),
        max_size=40,
    )
)
@settings(max_examples=40)
def test_counts__are_those_of_a_slow_version(
    rows: list[tuple[int | None, int, str, int]],
) -> None:
    start = datetime(2020, 1, 1, 5, 30)
    frames = [
        frame(answer, word, dive=dive, captured=start + timedelta(hours=hour))
        for answer, word, dive, hour in rows
    ]
    found = {
        cell: count_frames(inside, len(CONFIDENCES))
        for cell, inside in cells_of(frames, 100.0).items()
    }
    for cell, counts in found.items():
        inside = [one for one in frames if (one.dive, hour_of(one)) == (cell.dive, cell.hour)]
        assert counts.effort.n_frames == len(inside)
        for name in range(3):
            for word in range(3):
                n = sum(one.answer == name and one.confidence == word for one in inside)
                known = counts.names.get(name)
                assert (known.by_word[word] if known else 0) == n
    assert sum(counts.effort.n_frames for counts in found.values()) == len(rows)
