"""What was seen when: the frames of one dive in bins of time, or of their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

from finding_nemo.core.text.plurals import in_number
from finding_nemo.reporting.dive.dive_frames import Frame

MOST_BINS = 60
_EPOCH = datetime(1970, 1, 1)
# Spans that people count in: seconds, minutes, hours, days.
_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200),
    *(86400, 172800, 604800, 2592000, 31536000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The frames of one dive over time.

    Attributes:
        labels: Of each bin: the moment where it begins, or its first frame's number.
        step: What a bin spans, in words.
        bins: Of each frame.
        n_frames: Readable frames of each bin.
        cells: From (bin, name) to the frames whose answer it is.
    """

    labels: tuple[str, ...]
    step: str
    bins: tuple[int, ...]
    n_frames: tuple[int, ...]
    cells: dict[tuple[int, int], int]


def timeline_of(frames: Sequence[Frame], *, most_bins: int = MOST_BINS) -> Timeline:
    """Return when each name was seen.

    Frames that all have a time are put in bins of a round span; of a single video, by its own
    clock. Others are put in bins of equally many, in their order.

    Args:
        frames: Of one dive, in order, at least one.
        most_bins: At most so many.
    """
    clock = _clock_of(frames)
    if clock is None:
        per_bin = ceil(len(frames) / most_bins)
        bins = [place // per_bin for place in range(len(frames))]
        labels = [f"{place * per_bin + 1:,}" for place in range(bins[-1] + 1)]
        step = in_number(per_bin, "frame")
    else:
        span_s = max(clock) - min(clock)
        step_s = _step_for(span_s, most_bins)
        first = floor(min(clock) / step_s)
        bins = [floor(moment / step_s) - first for moment in clock]
        is_video = frames[0].captured is None
        starts = [(first + place) * step_s for place in range(max(bins) + 1)]
        labels = [_moment(start, step_s, is_video=is_video) for start in starts]
        step = _span(step_s)
    return _counted(frames, bins, labels, step)


def _clock_of(frames: Sequence[Frame]) -> list[float] | None:
    """Return seconds of each frame on one clock; `None` where there is none, or it stands still."""
    captured = [frame.captured for frame in frames if frame.captured is not None]
    in_video = [frame.time_s for frame in frames if frame.time_s is not None]
    clock: list[float] = []
    if len(captured) == len(frames):
        clock = [(moment - _EPOCH).total_seconds() for moment in captured]
    elif len(in_video) == len(frames) and len({frame.path for frame in frames}) == 1:
        clock = in_video
    return clock if clock and max(clock) > min(clock) else None


def _step_for(span_s: float, most_bins: int) -> int:
    """Return the shortest span with which at most so many bins are needed."""
    for step_s in _STEPS_S:
        if floor(span_s / step_s) + 2 <= most_bins:
            return step_s
    return ceil(span_s / (most_bins - 2))


def _moment(start_s: float, step_s: int, *, is_video: bool) -> str:
    if is_video:
        hours, rest = divmod(int(start_s), 3600)
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    moment = _EPOCH + timedelta(seconds=start_s)
    return f"{moment:%Y-%m-%d}" if step_s >= 86400 else f"{moment:%Y-%m-%d %H:%M:%S}"


def _span(step_s: int) -> str:
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if step_s >= size:
            count = step_s / size
            return f"1 {word}" if count == 1 else f"{count:g} {word}s"
    return "1 second" if step_s == 1 else f"{step_s} seconds"


def _counted(
    frames: Sequence[Frame], bins: Sequence[int], labels: Sequence[str], step: str
) -> Timeline:
    n_frames = [0] * len(labels)
    cells: Counter[tuple[int, int]] = Counter()
    for frame, place in zip(frames, bins, strict=True):
        if frame.answer is not None:
            n_frames[place] += 1
            cells[place, frame.answer] += 1
    return Timeline(
        labels=tuple(labels),
        step=step,
        bins=tuple(bins),
        n_frames=tuple(n_frames),
        cells=dict(sorted(cells.items())),
    )
