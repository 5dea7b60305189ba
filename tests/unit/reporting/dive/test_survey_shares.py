"""Shares of frames and categories by effort, from frames to tables: by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from finding_nemo.core.arrays import Float64s
from finding_nemo.metrics.prevalence import share_with_interval
from finding_nemo.reporting.dive.accumulated_categories import (
    accumulation_table,
    categories_by_effort,
)
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame, Name
from finding_nemo.reporting.dive.survey_cells import clip_of, depth_band, frames_by_clip
from finding_nemo.reporting.dive.survey_shares import (
    NO_POINTS,
    NOT_NAMED,
    REVIEWED,
    TOO_WEAK,
    NameShare,
    name_shares,
    shares_table,
)
from finding_nemo.uncertainty.answers import CONFIDENCES

_GROUP = 2
_NAMES = (Name(text="crab", supercategory="Crustacea"), Name(text="eel"), Name(text="Fish"))
_POINT: dict[str, Any] = {
    **{"is_reached": True, "precision": 0.9, "precision_low": 0.8, "precision_high": 1.0},
    **{"recall": 0.8, "recall_low": 0.7, "recall_high": 0.9},
    **{"false_positive_rate": 0.05, "false_positive_low": 0.0, "false_positive_high": 0.1},
}
_NEVER = {"is_reached": False, "precision": 0.5, "recall": None, "false_positive_rate": 0.4}


def frame(answer: int | None = 0, *, named: tuple[int, ...] = (), **values: Any) -> Frame:
    known: dict[str, Any] = {
        **{"image_id": "i", "path": "i.png", "dive": "a", "captured": None, "time_s": None},
        **{"width": 4, "height": 3, "failure": "", "answer_probability": math.nan, "why": ""},
        **{"guesses": (), "also_named": (), "novelty_percentile": math.nan, "look_first": 0},
        "confidence": None if answer is None else 0,
    }
    return Frame(answer=answer, named=named, **(known | values))


def dive_of(*frames: Frame, points: Any = (_POINT, _NEVER)) -> DiveFrames:
    return DiveFrames(
        frames=frames,
        names=_NAMES,
        words=CONFIDENCES,
        has_own_words=True,
        map_grid=None,
        metadata={"categories": [{}, {}], "operating_points": list(points)},
    )


def shares_of(found: DiveFrames, scope: str = "all") -> dict[str, NameShare]:
    shares = name_shares(found, depth_band_m=50)
    return {_NAMES[one.name].text: one for one in shares if one.scope == scope}


def test_a_share__counts_names_over_frames_and_takes_out_what_the_bundle_does() -> None:
    # Four clips of one frame each: 2 of 4 named, (0.5 - 0.05) / 0.75 = 0.6.
    frames = [frame(0, named=(0,), clip=str(n)) for n in range(2)]
    frames += [frame(1, clip="2"), frame(2, clip="3"), frame(None, failure="is empty")]
    found = shares_of(dive_of(*frames))
    crab = found["crab"]
    assert (crab.n_frames, crab.n_clips, crab.n_answers, crab.n_named) == (4, 4, 2, 2)
    assert crab.share == share_with_interval(2, 4, 4.0)
    assert crab.corrected.value == pytest.approx(0.6)
    assert crab.corrected.low < crab.share.low
    assert crab.note == ""
    assert (found["eel"].n_answers, found["eel"].note) == (1, NOT_NAMED)
    assert not found["eel"].share.is_known
    assert found["Fish"].note == NOT_NAMED


def test_a_share__is_not_corrected_where_nothing_measured_holds() -> None:
    named = frame(0, named=(0,))
    older = [{key: value for key, value in _POINT.items() if "false" not in key}] * 2
    assert shares_of(dive_of(named, points=older))["crab"].note == NO_POINTS
    assert shares_of(dive_of(named, points=()))["crab"].note == NO_POINTS
    assert shares_of(dive_of(named, frame(0, is_reviewed=True)))["crab"].note == REVIEWED
    weak = _POINT | {"recall": 0.1, "recall_low": 0.0, "recall_high": 0.2}
    assert shares_of(dive_of(named, points=[weak, _NEVER]))["crab"].note == TOO_WEAK
    odd = _POINT | {"recall": "0.9"}
    assert shares_of(dive_of(named, points=[odd, _NEVER]))["crab"].note == TOO_WEAK


def test_scopes__are_those_that_tell_frames_apart() -> None:
    eight = datetime(2015, 5, 7, 8, 30)
    frames = [
        frame(0, named=(0,), captured=eight, depth_m=120.0),
        frame(0, captured=eight + timedelta(hours=1), depth_m=149.9),
        frame(0, dive="b", captured=eight, depth_m=150.0),
    ]
    shares = list(name_shares(dive_of(*frames), depth_band_m=50))
    assert [(one.scope, *one.cell.columns, one.n_named, one.n_frames) for one in shares] == [
        ("all", "", "", "", "", 1, 3),
        ("dive", "a", "", "", "", 1, 2),
        ("dive", "b", "", "", "", 0, 1),
        ("hour", "a", "2015-05-07 08:00", "", "", 1, 1),
        ("hour", "a", "2015-05-07 09:00", "", "", 0, 1),
        ("hour", "b", "2015-05-07 08:00", "", "", 0, 1),
        ("depth", "a", "", "100", "150", 1, 2),
        ("depth", "b", "", "150", "200", 0, 1),
    ]
    one_dive = list(name_shares(dive_of(frame(0)), depth_band_m=50))
    assert [one.scope for one in one_dive] == ["all"]


def test_depth_bands__hold_their_upper_end() -> None:
    assert depth_band(100.0, 50.0) == (100.0, 150.0)
    assert depth_band(-0.5, 50.0) == (-50.0, 0.0)
    assert depth_band(None, 50.0) == (None, None)


def test_clips__are_sequences_and_minutes_of_what_has_a_time() -> None:
    assert clip_of(frame(clip="s")) == ("a", "s", -1)
    noon = datetime(2015, 5, 7, 12)
    later = [frame(captured=noon + timedelta(seconds=s)) for s in (0, 59, 60)]
    assert list(frames_by_clip(later).values()) == [2, 1]
    of_video = [frame(clip="v.mp4", time_s=s) for s in (0.0, 59.9, 60.0, 3600.0)]
    assert list(frames_by_clip(of_video).values()) == [2, 1, 1]


def test_table__has_a_number_in_every_column_that_has_one() -> None:
    found = dive_of(frame(0, named=(0,), clip="x"), frame(0, clip="y"))
    header, row = shares_table(found, name_shares(found, depth_band_m=50))
    values = dict(zip(header, row, strict=True))
    assert values["named_share"] == "0.5000"
    assert (values["corrected_share"], values["corrected_frames"]) == ("0.6000", "1.2")
    assert values["recall_low"] == "0.7000"
    assert values["false_positive_rate_high"] == "0.1000"


def test_categories_by_effort__count_what_is_more_than_a_guess() -> None:
    frames = [
        frame(0, clip="x"),
        frame(1, clip="x", named=(0,), confidence=2),
        frame(1, clip="y", confidence=1),
        frame(_GROUP, clip="z"),
        frame(None, clip="q", failure="is empty"),
    ]
    curves = {one.unit: one for one in categories_by_effort(dive_of(*frames))}
    assert curves.keys() == {"frames", "clips"}
    # Frames hold {0}, {0}, {1}, {}; clips {0}, {1}, {}.
    assert _rounded(curves["frames"].curve.expected) == [0.75, 1.333, 1.75, 2.0]
    assert _rounded(curves["clips"].curve.expected) == [0.667, 1.333, 2.0]
    table = accumulation_table(list(curves.values()))
    # Chao2 of the frames is 2 + 3/4 / 2 = 2.375: 1/4 + 1/16 - 0.75^2 / 2.375 = 0.0757.
    assert table[1] == ("frames", 1, "0.750", "0.211", "1.289", "", "", "")
    assert table[-1][:3] == ("clips", 3, "2.000")
    assert table[-1][5:] == ("", "", "")
    reviewed = [replace(one, is_reviewed=True) for one in frames]
    table = accumulation_table(categories_by_effort(dive_of(*reviewed)))
    assert table[-1][5:] == ("2.67", "2.05", "10.62")


def _rounded(values: Float64s) -> list[float]:
    return [round(value, 3) for value in values.tolist()]
