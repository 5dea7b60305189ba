"""In which share of the frames each name is, corrected for what the bundle misses and invents."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finding_nemo.metrics.prevalence import (
    UNKNOWN,
    Estimate,
    corrected_share,
    effective_frames,
    share_with_interval,
)
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame
from finding_nemo.reporting.dive.survey_cells import (
    CELL_COLUMNS,
    SurveyCell,
    depth_band,
    frames_by_clip,
    grouped,
    hour_of,
)
from finding_nemo.uncertainty.cautious_bars import FRAME_CORRELATION

NOT_NAMED = "never named: too few validation frames or dives reach the precision that was asked for"
NO_POINTS = "the predictions file does not say how often names are right or missed: predict again"
REVIEWED = "reviews changed these frames, so what was measured of the bundle does not hold for them"
TOO_WEAK = "the bundle finds too few of the frames that show it, against those it names wrongly"
# From what the ends of an interval are called in a file to what the rate is called.
_RATES = {
    "precision": "precision",
    "recall": "recall",
    "false_positive": "false_positive_rate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NameShare:
    """One name in the frames of one cell.

    Attributes:
        scope: Which frames the cell takes together: "all", "dive", "hour" or "depth".
        cell: Which of them.
        name: Its position in `DiveFrames.names`.
        n_frames: Frames that could be used.
        n_clips: The clips that they are of.
        n_answers: Frames whose answer it is.
        n_named: Frames in which it reaches the wanted precision.
        share: Of the frames, as named; unknown where it never is.
        corrected: Of the frames, as they should be; unknown where `note` says why.
        note: Why there is no corrected share, "" where there is one.
    """

    scope: str
    cell: SurveyCell
    name: int
    n_frames: int
    n_clips: int
    n_answers: int
    n_named: int
    share: Estimate
    corrected: Estimate
    note: str


class NamingRates:
    """How often each name of a predictions file was right and missed on validation dives."""

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        """Take them from what a file says of itself; what is not there or odd is unknown."""
        points, entries = metadata.get("operating_points"), metadata.get("categories")
        self._points: list[dict[str, Any]] = []
        if isinstance(points, list) and isinstance(entries, list):
            whole = [point for point in points if isinstance(point, dict)]
            if len(whole) == len(points) == len(entries):
                self._points = whole

    def of(self, name: int) -> Mapping[str, Estimate]:
        """Return precision, recall and false positive rate of a name by its position."""
        point = self._point(name)
        return {key: _estimate(point, value, key) for key, value in _RATES.items()}

    def is_named(self, name: int) -> bool:
        """Return whether frames are ever named so."""
        return self._point(name).get("is_reached") is True

    @property
    def is_there(self) -> bool:
        """Whether the file says them at all."""
        return any("false_positive_rate" in point for point in self._points)

    def _point(self, name: int) -> Mapping[str, Any]:
        return self._points[name] if name < len(self._points) else {}


def _estimate(point: Mapping[str, Any], value: str, key: str) -> Estimate:
    parts = [point.get(name) for name in (value, f"{key}_low", f"{key}_high")]
    if not all(isinstance(part, int | float) and 0 <= part <= 1 for part in parts):
        return UNKNOWN
    return Estimate(*(float(part) for part in parts if part is not None))


def name_shares(found: DiveFrames, *, depth_band_m: float) -> Iterator[NameShare]:
    """Yield every name that some frame of a cell has: all frames, then dives, hours, depth bands.

    A single dive has no row of its own beside that of all frames, and neither have hours where
    each dive is of a single one.

    Args:
        found: The frames.
        depth_band_m: The height of a depth band, above 0.
    """
    rates = NamingRates(found.metadata)
    readable = [frame for frame in found.frames if frame.answer is not None]
    scopes = {
        "all": grouped(readable, lambda _: SurveyCell()),
        "dive": grouped(readable, lambda frame: SurveyCell(frame.dive)),
        "hour": grouped(readable, lambda frame: SurveyCell(frame.dive, hour_of(frame))),
        "depth": grouped(
            [frame for frame in readable if frame.depth_m is not None],
            lambda frame: SurveyCell(frame.dive, "", *depth_band(frame.depth_m, depth_band_m)),
        ),
    }
    for scope, cells in scopes.items():
        if scope == "hour" and len(cells) == len(scopes["dive"]):
            continue
        if scope == "dive" and len(cells) == 1:
            continue
        for cell, frames in cells.items():
            yield from _of_cell(scope, cell, frames, rates)


def _of_cell(
    scope: str, cell: SurveyCell, frames: Sequence[Frame], rates: NamingRates
) -> Iterator[NameShare]:
    clips = frames_by_clip(frames)
    n_effective = effective_frames(clips.values(), correlation=FRAME_CORRELATION)
    answers = Counter(frame.answer for frame in frames if frame.answer is not None)
    named = Counter(name for frame in frames for name in frame.named)
    is_reviewed = any(frame.is_reviewed for frame in frames)
    order = sorted(answers.keys() | named.keys(), key=lambda one: (-named[one], -answers[one]))
    for name in order:
        share, corrected, note = UNKNOWN, UNKNOWN, _why_not(name, rates, is_reviewed)
        if named[name] or rates.is_named(name):
            share = share_with_interval(named[name], len(frames), n_effective)
        if not note:
            known = rates.of(name)
            corrected = corrected_share(share, known["recall"], known["false_positive"])
            note = "" if corrected.is_known else TOO_WEAK
        yield NameShare(
            scope=scope,
            cell=cell,
            name=name,
            n_frames=len(frames),
            n_clips=len(clips),
            n_answers=answers[name],
            n_named=named[name],
            share=share,
            corrected=corrected,
            note=note,
        )


def _why_not(name: int, rates: NamingRates, is_reviewed: bool) -> str:
    """Return why a name's share cannot be corrected, "" where it can."""
    if is_reviewed:
        return REVIEWED
    if not rates.is_there:
        return NO_POINTS
    return "" if rates.is_named(name) else NOT_NAMED


def shares_table(found: DiveFrames, shares: Iterable[NameShare]) -> list[Sequence[object]]:
    """Return header and rows of `shares.csv`: one row a name and cell."""
    rates = NamingRates(found.metadata)
    rows: list[Sequence[object]] = [
        (
            *("scope", *CELL_COLUMNS, "name", "supercategory"),
            *("readable_frames", "clips", "answer_frames", "named_frames"),
            *_header("named_share"),
            *_header("corrected_share"),
            *("corrected_frames", "note"),
            *(column for rate in _RATES.values() for column in _header(rate)),
        )
    ]
    for one in shares:
        name, known = found.names[one.name], rates.of(one.name)
        rows.append(
            (
                *(one.scope, *one.cell.columns, name.text, name.supercategory),
                *(one.n_frames, one.n_clips, one.n_answers, one.n_named),
                *_cells(one.share),
                *_cells(one.corrected),
                f"{one.corrected.value * one.n_frames:.1f}" if one.corrected.is_known else "",
                one.note,
                *(cell for key in _RATES for cell in _cells(known[key])),
            )
        )
    return rows


def _header(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


def _cells(estimate: Estimate) -> tuple[str, ...]:
    values = (estimate.value, estimate.low, estimate.high)
    return tuple(f"{value:.4f}" if math.isfinite(value) else "" for value in values)
