"""What the page's program reads: all frames as columns, and the heat maps in parts.

They are files of JavaScript: a page that is opened from a disk may run those, and read no others.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from typing import Any

from finding_nemo.core.text.printable import printable
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame, look_order
from finding_nemo.reporting.dive.dive_timeline import Timeline, timeline_of
from finding_nemo.reporting.dive.dive_words import novelty_in_words, reasons_to_look
from finding_nemo.reporting.dive.thumbnail_sheets import PER_SHEET, Thumbnails, sheet_name

PER_MAPS_FILE = 256
_FAR_OUT = 0.995


def frames_script(
    found: DiveFrames,
    thumbnails: Thumbnails,
    links: Sequence[str],
    folder: str,
    *,
    places: Mapping[str, str] | None = None,
) -> str:
    """Return the program text that holds all frames.

    Args:
        found: The frames.
        thumbnails: Which of them have small pictures.
        links: The address of each frame's large picture, "" where there is none.
        folder: The name of the folder beside the page.
        places: From a name to its place in the tree of names, "" where that is not known.
    """
    timelines = _timelines(found)
    prefix = _common_folder(links)
    failures, whys = _Texts(), _Texts()
    columns = _columns(found, failures, whys) | {
        "shown": [int(shown) for shown in thumbnails.is_shown],
        "link": [link[len(prefix) :] for link in links],
        "bin": [place for timeline in timelines for place in timeline.bins],
    }
    data = {
        "folder": folder,
        "names": [
            [
                *(printable(name.shown), printable(name.supercategory)),
                *(name.n_images, name.n_dives),
                *filter(None, [printable((places or {}).get(name.text, ""))]),
            ]
            for name in found.names
        ],
        "words": [printable(word) for word in found.words],
        "dives": [
            {"name": printable(dive), **_timeline_json(timeline)}
            for dive, timeline in zip(found.dives, timelines, strict=True)
        ],
        "failures": failures.all,
        "whys": whys.all,
        "novelty": [novelty_in_words(share / 100) for share in range(101)],
        "noveltyUnknown": novelty_in_words(float("nan")),
        "reasons": {
            place: [printable(reason) for reason in reasons_to_look(frame, found)]
            for place, frame in enumerate(found.frames)
            if frame.look_first
        },
        "lookOrder": look_order(found.frames),
        "sheet": _sheet_json(thumbnails, len(found.frames)),
        "linkPrefix": prefix,
        "maps": _maps_json(found),
        "frames": columns,
    }
    return f"window.diveData={_literal(data)};\n"


def _columns(found: DiveFrames, failures: _Texts, whys: _Texts) -> dict[str, list[Any]]:
    """Return one list a column, each with one value a frame; -1 stands for none."""
    place_of = {dive: place for place, dive in enumerate(found.dives)}
    return {
        "id": [printable(frame.image_id) for frame in found.frames],
        "dive": [place_of[frame.dive] for frame in found.frames],
        "time": [time_in_words(frame) for frame in found.frames],
        "answer": [-1 if frame.answer is None else frame.answer for frame in found.frames],
        "probability": [_permille(frame.answer_probability) for frame in found.frames],
        "word": [-1 if frame.confidence is None else frame.confidence for frame in found.frames],
        "unusual": [_percent(frame.novelty_percentile) for frame in found.frames],
        "look": [frame.look_first for frame in found.frames],
        "failure": [failures.number(frame.failure) for frame in found.frames],
        "why": [whys.number(frame.why) for frame in found.frames],
        "guesses": [_flat_guesses(frame) for frame in found.frames],
    }


def _sheet_json(thumbnails: Thumbnails, n_frames: int) -> dict[str, Any]:
    form = thumbnails.form
    return {
        "columns": form.n_columns,
        "perSheet": PER_SHEET,
        "width": form.width_px,
        "height": form.height_px,
        "names": [sheet_name(number) for number in range(-(-n_frames // PER_SHEET))],
    }


def maps_scripts(found: DiveFrames) -> Iterator[tuple[str, str]]:
    """Yield (file name, program text) of the heat maps, some hundred frames each."""
    if found.map_grid is None:
        return
    for number, start in enumerate(range(0, len(found.frames), PER_MAPS_FILE)):
        frames = found.frames[start : start + PER_MAPS_FILE]
        maps = [
            None if frame.maps is None else base64.b64encode(frame.maps).decode("ascii")
            for frame in frames
        ]
        yield f"maps-{number:04d}.js", f"window.diveMaps({number},{_literal(maps)});\n"


def _timelines(found: DiveFrames) -> list[Timeline]:
    by_dive: dict[str, list[Frame]] = {}
    for frame in found.frames:
        by_dive.setdefault(frame.dive, []).append(frame)
    return [timeline_of(frames) for frames in by_dive.values()]


def _timeline_json(timeline: Timeline) -> dict[str, Any]:
    return {
        "labels": timeline.labels,
        "step": timeline.step,
        "counts": timeline.n_frames,
        "cells": [[place, name, n] for (place, name), n in timeline.cells.items()],
    }


def _maps_json(found: DiveFrames) -> dict[str, int] | None:
    grid = found.map_grid
    if grid is None:
        return None
    return {
        "rows": grid.n_rows,
        "columns": grid.n_columns,
        "guesses": grid.n_guesses,
        "perFile": PER_MAPS_FILE,
    }


def time_in_words(frame: Frame) -> str:
    """Return when a frame was filmed, "" where nothing says it; midnight is a bare date."""
    if frame.captured is not None:
        has_time = frame.captured.time() != time.min
        return f"{frame.captured:%Y-%m-%d %H:%M:%S}" if has_time else f"{frame.captured:%Y-%m-%d}"
    if frame.time_s is None:
        return ""
    minutes, seconds = divmod(int(frame.time_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def _percent(share: float) -> int:
    """Return a share in whole percent, cut, so that 95 means 95 or more; -1 where unknown."""
    if share != share:
        return -1
    return 100 if share >= _FAR_OUT else int(100 * share + 1e-9)


def _permille(share: float) -> int:
    return -1 if share != share else round(1000 * share)


def _flat_guesses(frame: Frame) -> list[int]:
    """Return name, permille, name, permille ..."""
    return [
        number
        for guess in frame.guesses
        for number in (guess.name, round(1000 * guess.probability))
    ]


class _Texts:
    """Sentences that many frames share, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        if not text:
            return -1
        return self._numbers.setdefault(printable(text), len(self._numbers))

    @property
    def all(self) -> list[str]:
        return list(self._numbers)


def _common_folder(links: Sequence[str]) -> str:
    """Return the folder, with its slash, that all addresses begin with."""
    found = [link for link in links if link]
    if not found:
        return ""
    first, last = min(found), max(found)
    same = next(
        (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]),
        len(first),
    )
    return first[: first.rfind("/", 0, same) + 1]


def _literal(value: object) -> str:
    """Return a JavaScript expression of a value, all of it ASCII.

    A browser parses JSON in a string faster than the same as a program.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return f"JSON.parse({json.dumps(text, ensure_ascii=True)})"
