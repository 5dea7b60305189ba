"""Any predictions file, of today or of before, into the frames of the page.

All that stands in for a column that a file does not have is here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.assessment import rank_of_level
from finding_nemo.core.errors import PredictionsError
from finding_nemo.data.datasets.dives import parse_frame_name
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.datasets.fields.record_fields import record_of_path
from finding_nemo.data.filesystems.name_text import name_of_text
from finding_nemo.reporting.dive.dive_frames import (
    DiveFrames,
    Frame,
    Guess,
    MapGrid,
)
from finding_nemo.reporting.dive.dive_names import DiveNames, count_or_none
from finding_nemo.reporting.dive.newer_columns import NewerColumns, read_newer_columns
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import PredictionTable
from finding_nemo.uncertainty.answers import CONFIDENCES
from finding_nemo.uncertainty.label_tree import RANK_ORDER
from finding_nemo.uncertainty.look_first import guess_doubt, rank_look_first

N_GUESSES = 5
# Where a file has no words of its own: what reaches the wanted precision is sure, and from here on
# a best guess is likely.
LIKELY_FROM = 0.5
_LARGEST_GRID = 1024
# Words of the column `method` of an adapted file.
_CHANGED_BY_REVIEWS = ("reviewed", "adapted")


def read_dive_frames(
    path: Path, *, dive_pattern: str | None = None, verify: bool = True
) -> DiveFrames:
    """Read a predictions file for the page of a dive.

    Args:
        path: Parquet, JSONL or CSV.
        dive_pattern: A regular expression with a group `dive` for the paths in the file; where it
            fits, it says the dive.
        verify: Whether a Parquet file is checked against its hashes.

    Raises:
        PredictionsError: If it cannot be read as predictions, or holds no row.
        SettingsError: If the pattern is none.
    """
    table = read_predictions(path, verify=verify)
    if not len(table):
        raise PredictionsError(f"{path} holds no frame: there is nothing to show.")
    newer = read_newer_columns(path)
    names = DiveNames(table.metadata.get("categories", ()))
    words = _words(newer)
    grid = _grid_of(table.metadata.get("maps"))
    dives = _dives(table, newer, dive_pattern)
    frames = [
        _frame(table, row, newer, names=names, words=words, dive=dives[row], grid=grid)
        for row in range(len(table))
    ]
    frames = _with_ranks(frames, newer)
    has_maps = any(frame.maps is not None for frame in frames)
    return DiveFrames(
        frames=tuple(_in_order(frames)),
        names=names.all,
        words=words,
        has_own_words=newer.has("confidence"),
        map_grid=grid if has_maps else None,
        metadata=table.metadata,
        notices=(*_notices(frames, newer, grid), *_without_dive(frames)),
    )


def _words(newer: NewerColumns) -> tuple[str, ...]:
    """Return how sure an answer may be: the words that we know, then others as they come."""
    found = newer.columns.get("confidence", ())
    own = dict.fromkeys(word for word in found if isinstance(word, str) and word)
    return (*CONFIDENCES, *(word for word in own if word not in CONFIDENCES))


def _dives(table: PredictionTable, newer: NewerColumns, dive_pattern: str | None) -> Sequence[str]:
    """Return the dive of each row: by the pattern, the column, the path, or the video's name."""
    found = []
    for row, path in enumerate(table.paths):
        file = Path(name_of_text(path))
        of_path = record_of_path(file, dive_pattern).dive
        is_of_video = bool(table.times_s) and table.times_s[row] is not None
        named = newer.text("dive", row)
        if dive_pattern is not None and of_path:
            named = of_path
        found.append(named or of_path or (file.name if is_of_video else ""))
    return found


def _frame(
    table: PredictionTable,
    row: int,
    newer: NewerColumns,
    *,
    names: DiveNames,
    words: Sequence[str],
    dive: str,
    grid: MapGrid | None,
) -> Frame:
    guesses = _guesses(table, row, newer, names)
    named = [names.of_id(number) for number in _named_ids(table, row)]
    answer = _answer(newer, row, names, guesses)
    maps = newer.maps(row)
    return Frame(
        image_id=table.image_ids[row],
        path=table.paths[row],
        dive=dive,
        captured=newer.moment(row),
        time_s=_time_s(table, row),
        width=table.widths[row],
        height=table.heights[row],
        failure=table.failures[row] or "",
        answer=answer,
        answer_probability=_answer_probability(newer, row, answer, guesses),
        confidence=_confidence(newer, row, words, guesses, named),
        why=newer.text("why", row),
        guesses=guesses,
        also_named=tuple(name for name in named if name != answer),
        novelty_percentile=_percentile(table, row),
        look_first=newer.rank(row),
        maps=maps if grid is not None and maps is not None and len(maps) == grid.n_bytes else None,
        named=tuple(named),
        depth_m=newer.depth(row),
        clip=_clip(table, row),
        is_reviewed=newer.text("method", row) in _CHANGED_BY_REVIEWS,
    )


def _clip(table: PredictionTable, row: int) -> str:
    """Return the video that a frame is of, or the sequence that its name tells."""
    path = table.paths[row]
    if _time_s(table, row) is not None:
        return path
    sequence, number = parse_frame_name(PurePosixPath(slashed(path)).name)
    return "" if number is None else sequence


def _guesses(
    table: PredictionTable, row: int, newer: NewerColumns, names: DiveNames
) -> tuple[Guess, ...]:
    texts = newer.names(row)
    pairs = zip(table.ranked_ids[row], table.ranked_probabilities[row], strict=True)
    return tuple(
        Guess(names.of_id(number, texts[place] if place < len(texts) else ""), float(probability))
        for place, (number, probability) in enumerate(pairs)
        if place < N_GUESSES
    )


def _time_s(table: PredictionTable, row: int) -> float | None:
    time_s = table.times_s[row] if table.times_s else None
    return time_s if time_s is not None and math.isfinite(time_s) else None


def _percentile(table: PredictionTable, row: int) -> float:
    """Return how unusual a row is; NaN where nobody knows, or what stands there is no share."""
    if table.assessment is None:
        return math.nan
    share = float(table.assessment.novelty_percentile[row])
    return share if 0.0 <= share <= 1.0 else math.nan


def _named_ids(table: PredictionTable, row: int) -> tuple[int, ...]:
    return () if table.assessment is None else table.assessment.named_ids[row]


def _answer(
    newer: NewerColumns, row: int, names: DiveNames, guesses: Sequence[Guess]
) -> int | None:
    """Return the file's own answer, else the best guess; a frame that failed has none."""
    if not guesses:
        return None
    own = newer.text("answer", row)
    if not own:
        return guesses[0].name
    rank = rank_of_level(newer.text("answer_level", row))
    return names.of_text(own, rank if rank in RANK_ORDER else "")


def _answer_probability(
    newer: NewerColumns, row: int, answer: int | None, guesses: Sequence[Guess]
) -> float:
    own = newer.share("answer_probability", row)
    if not math.isnan(own):
        return own
    return next((guess.probability for guess in guesses if guess.name == answer), math.nan)


def _confidence(
    newer: NewerColumns,
    row: int,
    words: Sequence[str],
    guesses: Sequence[Guess],
    named: Sequence[int],
) -> int | None:
    if not guesses:
        return None
    own = newer.text("confidence", row)
    if own in words:
        return words.index(own)
    if guesses[0].name in named:
        return 0
    return 1 if guesses[0].probability >= LIKELY_FROM else 2


def _with_ranks(frames: Sequence[Frame], newer: NewerColumns) -> list[Frame]:
    """Return the frames with ranks of whom to look at first, where the file has none."""
    if newer.has("look_first"):
        return list(frames)
    top = _floats(frame.guesses[0].probability if frame.guesses else None for frame in frames)
    second = _floats(
        frame.guesses[1].probability if len(frame.guesses) > 1 else None for frame in frames
    )
    ranks = rank_look_first(
        _floats(frame.novelty_percentile for frame in frames),
        guess_doubt(top, second),
        [frame.dive for frame in frames],
        times_s=_floats(_clock(frame) for frame in frames),
        answers=[str(frame.answer) for frame in frames],
    )
    return [
        replace(frame, look_first=rank) for frame, rank in zip(frames, ranks.tolist(), strict=True)
    ]


def _floats(values: Any) -> Float64s:  # noqa: ANN401 - numbers or None, from a generator
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _clock(frame: Frame) -> float | None:
    """Return seconds on the clock of a frame's dive."""
    if frame.captured is not None:
        return (frame.captured - datetime(1970, 1, 1)).total_seconds()
    return frame.time_s


def _in_order(frames: Sequence[Frame]) -> list[Frame]:
    """Return the frames by dive as the dives come; in a dive by time where all have one."""
    by_dive: dict[str, list[Frame]] = {}
    for frame in frames:
        by_dive.setdefault(frame.dive, []).append(frame)
    for dive, found in by_dive.items():
        if all(frame.captured is not None for frame in found):
            by_dive[dive] = sorted(found, key=lambda frame: frame.captured or datetime.min)
    return [frame for found in by_dive.values() for frame in found]


def _grid_of(stated: object) -> MapGrid | None:
    if not isinstance(stated, Mapping):
        return None
    sizes = [count_or_none(stated.get(key)) or 0 for key in ("rows", "columns", "guesses")]
    if not all(0 < size <= _LARGEST_GRID for size in sizes):
        return None
    return MapGrid(*sizes)


def _without_dive(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Say that frames stand together whose folders may be dives."""
    folders = {str(PurePosixPath(slashed(frame.path)).parent) for frame in frames if not frame.dive}
    if len(folders) < 2:
        return ()
    count = sum(not frame.dive for frame in frames)
    return (
        f"{count:,} frames of {len(folders):,} folders name no dive, and stand together as one. "
        "Give --dive-pattern to tell their dives apart; where each folder is a dive: "
        "'(?P<dive>[^/]+)/[^/]+$'.",
    )


def _notices(frames: Sequence[Frame], newer: NewerColumns, grid: MapGrid | None) -> tuple[str, ...]:
    n_maps = sum(value is not None for value in newer.columns.get("maps", ()))
    shown = sum(frame.maps is not None for frame in frames)
    if n_maps == shown:
        return ()
    size = "the file does not say their size" if grid is None else "they have another size"
    return (f"{n_maps - shown:,} heat maps are left out: {size}.",)
