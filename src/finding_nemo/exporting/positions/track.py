"""A vehicle's track: where it was at a moment, between two entries of its navigation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from finding_nemo.core.arrays import Float64s
from finding_nemo.exporting.export_frame import FramePosition

# What an entry may say, in the order of `FramePosition`.
QUANTITIES = ("latitude", "longitude", "depth_m", "height_m", "uncertainty_m")


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity along a track, without the entries that do not say it.

    Attributes:
        seconds: Of each entry since 1970, UTC, shape (entries,), rising.
        values: What the entries say, same shape.
    """

    seconds: Float64s
    values: Float64s


@dataclass(frozen=True, kw_only=True)
class Track:
    """A navigation.

    Attributes:
        series: Of each of `QUANTITIES` what is known of it.
        source: The file.
    """

    series: Mapping[str, Series]
    source: str


def make_track(
    seconds: Sequence[float], values: Mapping[str, Sequence[float]], source: str
) -> Track:
    """Return a track of entries in any order; of two at one moment the later line counts.

    Args:
        seconds: Of each entry since 1970, UTC.
        values: Of each of `QUANTITIES` what the entries say, NaN where they do not.
        source: The file.
    """
    times = np.asarray(seconds, dtype=np.float64)
    order = np.argsort(times, kind="stable")
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = np.diff(times[order]) > 0
    kept = order[last]
    series = {}
    for name in QUANTITIES:
        column = np.asarray(values[name], dtype=np.float64)[kept]
        is_known = np.isfinite(column)
        series[name] = Series(times[kept][is_known], column[is_known])
    return Track(series=series, source=source)


def position_at(track: Track, moment: datetime, *, max_gap_s: float) -> FramePosition | None:
    """Return where the vehicle was, linear in time between the two entries around a moment.

    Each quantity is taken from the nearest entries that say it. Longitudes go the short way around
    the world.

    Args:
        track: The navigation.
        moment: UTC without a time zone.
        max_gap_s: Entries further apart than this say nothing of what is between them.

    Returns:
        The position, `None` where no quantity is known there.
    """
    at = seconds_of(moment)
    found = {
        name: _interpolated(series, at, max_gap_s, turns=name == "longitude")
        for name, series in track.series.items()
    }
    if found["latitude"] is None or found["longitude"] is None:
        found["latitude"] = found["longitude"] = None  # half a position is none
    if all(value is None for value in found.values()):
        return None
    return FramePosition(**found, source=track.source)


def seconds_of(moment: datetime) -> float:
    """Return the seconds since 1970 of a moment of UTC that has no time zone attached."""
    return moment.replace(tzinfo=UTC).timestamp()


def _interpolated(series: Series, at: float, max_gap_s: float, *, turns: bool) -> float | None:
    times, values = series.seconds, series.values
    after = int(np.searchsorted(times, at))
    if after < len(times) and times[after] == at:
        return float(values[after])
    if after in (0, len(times)):
        return None  # before its first or after its last entry nobody knows
    start, end = times[after - 1], times[after]
    if end - start > max_gap_s:
        return None
    first, second = values[after - 1], values[after]
    step = math.remainder(second - first, 360.0) if turns else second - first
    value = float(first + step * (at - start) / (end - start))
    if turns and not -180.0 <= value <= 180.0:
        return math.remainder(value, 360.0)
    return value
