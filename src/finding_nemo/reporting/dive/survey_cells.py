"""Frames by dive, hour and depth band, and by the clips that they were cut from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import time

from finding_nemo.reporting.dive.dive_frames import Frame

DEPTH_BAND_M = 100.0
CELL_COLUMNS = ("dive", "hour", "depth_from_m", "depth_to_m")
_CLIP_S = 60


@dataclass(frozen=True, slots=True)
class SurveyCell:
    """Where and when frames belong together; "" and `None` where that is not told apart.

    Attributes:
        dive: Their dive.
        hour: Their hour, as a table says it.
        depth_from_m: The upper end of their depth band, which belongs to it.
        depth_to_m: Its lower end, which does not.
    """

    dive: str = ""
    hour: str = ""
    depth_from_m: float | None = None
    depth_to_m: float | None = None

    @property
    def columns(self) -> tuple[object, ...]:
        """Its values in a table."""
        band = (self.depth_from_m, self.depth_to_m)
        return (self.dive, self.hour, *("" if end is None else f"{end:g}" for end in band))


def hour_of(frame: Frame) -> str:
    """Return the hour that a frame belongs to, as a table says it; "" where no time is known.

    A time of exactly midnight is a bare date, as data sets are read.
    """
    if frame.captured is not None:
        is_date = frame.captured.time() == time.min
        return f"{frame.captured:%Y-%m-%d}" if is_date else f"{frame.captured:%Y-%m-%d %H}:00"
    return "" if frame.time_s is None else f"video hour {int(frame.time_s // 3600) + 1}"


def depth_band(depth_m: float | None, width_m: float) -> tuple[float | None, float | None]:
    """Return the ends of the band that a depth lies in; `None` where no depth is known."""
    if depth_m is None:
        return None, None
    number = math.floor(depth_m / width_m)
    return number * width_m, (number + 1) * width_m


def whole_cell(frame: Frame, depth_band_m: float) -> SurveyCell:
    """Return the cell of a frame: its dive, hour and depth band."""
    return SurveyCell(frame.dive, hour_of(frame), *depth_band(frame.depth_m, depth_band_m))


def cells_of(frames: Iterable[Frame], depth_band_m: float) -> dict[SurveyCell, list[Frame]]:
    """Return the frames of each dive, hour and depth band, in their order."""
    return grouped(frames, lambda frame: whole_cell(frame, depth_band_m))


def grouped(
    frames: Iterable[Frame], cell_of: Callable[[Frame], SurveyCell]
) -> dict[SurveyCell, list[Frame]]:
    """Return the frames of each cell, in their order."""
    groups: dict[SurveyCell, list[Frame]] = {}
    for frame in frames:
        groups.setdefault(cell_of(frame), []).append(frame)
    return groups


def clip_of(frame: Frame) -> tuple[str, str, int]:
    """Return what tells a frame's clip: dive, video or sequence, and minute where that is known.

    Frames of one clip show the same animals, so they count as less than as many independent ones.
    A sequence whose times are not known is one clip, and so are the frames of a dive that tell
    neither.
    """
    seconds = -1.0
    if frame.time_s is not None:
        seconds = frame.time_s
    elif frame.captured is not None and frame.captured.time() != time.min:
        seconds = (frame.captured - frame.captured.min).total_seconds()
    return frame.dive, frame.clip, int(seconds // _CLIP_S)


def frames_by_clip(frames: Iterable[Frame]) -> Counter[tuple[str, str, int]]:
    """Return how many frames each clip has."""
    return Counter(map(clip_of, frames))
