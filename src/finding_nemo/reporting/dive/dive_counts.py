"""How many frames show what, by dive and hour; and the two tables beside the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame
from finding_nemo.reporting.dive.survey_cells import CELL_COLUMNS, cells_of, frames_by_clip


@dataclass(slots=True)
class NameCount:
    """Frames of one name.

    Attributes:
        by_word: Frames whose answer it is, for each word of how sure, surest first.
        also_named: Frames of another answer that name it, too.
    """

    by_word: list[int]
    also_named: int = 0

    @property
    def n_frames(self) -> int:
        """Frames whose answer it is."""
        return sum(self.by_word)


@dataclass(slots=True)
class Effort:
    """What was looked at.

    Attributes:
        n_frames: All.
        n_readable: Those that could be used.
        n_named: Those whose answer is better than a guess.
        n_unusual: Those more unusual than 95 % of the validation frames.
    """

    n_frames: int = 0
    n_readable: int = 0
    n_named: int = 0
    n_unusual: int = 0


@dataclass(frozen=True, slots=True)
class FrameCounts:
    """Counts of some frames.

    Attributes:
        names: From the position of a name, most frames first.
        effort: Of all.
        failures: From reason to frames, most first.
    """

    names: dict[int, NameCount] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)
    failures: dict[str, int] = field(default_factory=dict)


def count_frames(frames: Iterable[Frame], n_words: int) -> FrameCounts:
    """Count frames by answer and by how sure it is.

    Args:
        frames: Those to count.
        n_words: How many words of how sure there are; the last known one, "guess", is the third.
    """
    names: dict[int, NameCount] = {}
    effort, failures = Effort(), Counter[str]()
    for frame in frames:
        effort.n_frames += 1
        effort.n_unusual += frame.is_unusual
        if frame.answer is None or frame.confidence is None:
            failures[frame.failure] += 1
            continue
        effort.n_readable += 1
        effort.n_named += frame.confidence < 2
        names.setdefault(frame.answer, NameCount([0] * n_words)).by_word[frame.confidence] += 1
        for name in frame.also_named:
            names.setdefault(name, NameCount([0] * n_words)).also_named += 1
    ordered = sorted(names.items(), key=lambda item: (-item[1].n_frames, -item[1].also_named))
    return FrameCounts(dict(ordered), effort, dict(failures.most_common()))


def counts_table(found: DiveFrames, *, depth_band_m: float) -> list[Sequence[object]]:
    """Return header and rows of `counts.csv`: one row a dive, hour, depth band and name."""
    words = [f"{word}_frames".replace(" ", "_") for word in found.words]
    rows: list[Sequence[object]] = [
        (*CELL_COLUMNS, "name", "supercategory", "frames", *words, "also_named_frames")
    ]
    for cell, frames in cells_of(found.frames, depth_band_m).items():
        counts = count_frames(frames, len(found.words))
        for position, count in counts.names.items():
            name = found.names[position]
            rows.append(
                (
                    *cell.columns,
                    name.text,
                    name.supercategory,
                    count.n_frames,
                    *count.by_word,
                    count.also_named,
                )
            )
    return rows


def effort_table(found: DiveFrames, *, depth_band_m: float) -> list[Sequence[object]]:
    """Return header and rows of `effort.csv`: one row a dive, hour and depth band."""
    rows: list[Sequence[object]] = [
        (
            *CELL_COLUMNS,
            *("frames", "readable_frames", "named_frames", "unusual_frames", "clips"),
        )
    ]
    for cell, frames in cells_of(found.frames, depth_band_m).items():
        effort = count_frames(frames, len(found.words)).effort
        counted = (effort.n_frames, effort.n_readable, effort.n_named, effort.n_unusual)
        rows.append((*cell.columns, *counted, len(frames_by_clip(frames))))
    return rows
