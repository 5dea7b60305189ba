"""Navigation files: a table by time, a table by file name, or an iFDO file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import DatasetError
from finding_nemo.core.files.table_files import Table, read_table
from finding_nemo.core.files.text_files import read_lines, read_text
from finding_nemo.core.text.cells import is_nothing, number_in, quoted, undefused
from finding_nemo.core.text.json_text import parse_json
from finding_nemo.data.datasets.dives import parse_capture_time
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.exporting.export_frame import FramePosition
from finding_nemo.exporting.positions.track import QUANTITIES, Track, make_track, seconds_of

# The names that programs give to a column; the first that is there counts.
_TIMES = ("time", "taken_at", "timestamp", "datetime", "date_time", "image-datetime", "utc")
_FILES = ("file", "filename", "file_name", "image", "path")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "latitude": ("latitude", "lat", "image-latitude"),
    "longitude": ("longitude", "lon", "lng", "long", "image-longitude"),
    "depth_m": ("depth_m", "depth", "depth_meters", "depthmeters", "image-depth"),
    "height_m": ("height_m", "distance_to_ground", "image-meters-above-ground"),
    "uncertainty_m": ("uncertainty_m", "image-coordinate-uncertainty-meters"),
}
# Metres above the sea, so negative below it.
_ALTITUDES = ("gps_altitude", "image-altitude-meters", "image-altitude")
_RANGES = {"latitude": 90.0, "longitude": 180.0}


@dataclass(frozen=True, kw_only=True)
class NavigationFile:
    """What one file says of where frames were filmed.

    Attributes:
        path: The file.
        track: By time; `None` where it names files instead.
        by_file: From a file's name to its position.
        moments: From a file's name to when it was filmed, as far as that is values.
        notices: What was passed over, in sentences.
        is_named: Whether a person named the file; else it was found beside the images.
    """

    path: Path
    track: Track | None = None
    by_file: Mapping[str, FramePosition] = field(default_factory=dict)
    moments: Mapping[str, datetime] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    is_named: bool = True

    @property
    def has_depths(self) -> bool:
        """Whether it says any depth."""
        of_track = self.track is not None and len(self.track.series["depth_m"].values) > 0
        return of_track or any(place.depth_m is not None for place in self.by_file.values())


def read_navigation(path: Path) -> NavigationFile:
    """Read a navigation file.

    A table (CSV, semicolons or tabs) has a column of time or of file names, and some of latitude,
    longitude, depth_m, gps_altitude (negative below the sea), distance_to_ground. Times without a
    zone are UTC. A .json file is an iFDO file.

    Raises:
        DatasetError: If it is missing, has none of these columns, or holds what no position can
            be; with the line.
    """
    if path.suffix.lower() in (".json", ".ifdo"):
        return _read_ifdo(path)
    table = read_table(path, required=_known_column(path), refusal=DatasetError)
    columns = _columns_of(table, path)
    notes, file_column = Notes(), _first(table.names, _FILES)
    time_column = _first(table.names, _TIMES)
    if file_column is None and time_column is None:
        raise DatasetError(
            f"{path} has neither a column of times ({', '.join(_TIMES[:4])}) nor one of files "
            f"({', '.join(_FILES[:3])}), so it says nothing of any frame; it has "
            f"{', '.join(table.names)[:300]}."
        )
    entries = _entries(path, table, columns, notes)
    if file_column is not None:
        return _by_file(path, entries, file_column, time_column, notes)
    return _by_time(path, entries, str(time_column), notes)


def _known_column(path: Path) -> tuple[str, ...]:
    """Return one column of the header that we know, by which the separator is found."""
    lines = read_lines(path, refusal=DatasetError)
    header = next((line for line in lines if line.strip("\r\n\t ;,") and "sep=" not in line), "")
    known = {
        *_TIMES,
        *_FILES,
        *_ALTITUDES,
        *(name for names in _COLUMNS.values() for name in names),
    }
    cells = (cell.strip(' "\r\n').casefold() for cell in re.split("[,;\t]", header))
    return tuple(cell for cell in cells if cell in known)[:1]


def _first(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    held = {name.casefold(): name for name in names}
    return next((held[name] for name in wanted if name in held), None)


def _columns_of(table: Table, path: Path) -> Mapping[str, str]:
    found = {what: _first(table.names, names) for what, names in _COLUMNS.items()}
    columns = {what: name for what, name in found.items() if name is not None}
    altitude = _first(table.names, _ALTITUDES)
    if "depth_m" not in columns and altitude is not None:
        columns["altitude"] = altitude
    if not columns:
        raise DatasetError(
            f"{path} says nothing of positions: it needs columns such as latitude, longitude and "
            f"depth_m, and has {', '.join(table.names)[:300] or 'none'}."
        )
    return columns


def _entries(
    path: Path, table: Table, columns: Mapping[str, str], notes: Notes
) -> Iterable[tuple[Mapping[str, str], dict[str, float]]]:
    for row in table.rows:
        values = {}
        for what, name in columns.items():
            text = undefused(row.values[name]).strip()
            if is_nothing(text):
                continue
            try:
                values[what] = number_in(text, decimal_comma=table.decimal_comma)
            except ValueError as error:
                raise DatasetError(f"{path}, line {row.line}, {name}: {error}.") from None
        yield row.values, _checked(values, notes, f"{path}, line {row.line}")


def _checked(values: dict[str, float], notes: Notes, where: str) -> dict[str, float]:
    """Return the quantities of one entry that can be; a depth above the surface cannot.

    Raises:
        DatasetError: If a latitude or longitude is out of range.
    """
    for what, most in _RANGES.items():
        # A clock of longitudes may run from 0 to 360.
        if what == "longitude" and 180.0 < values.get(what, 0.0) <= 360.0:
            values[what] -= 360.0
        if abs(values.get(what, 0.0)) > most:
            raise DatasetError(
                f"{where}: {what} must be from {-most:g} to {most:g} degrees, got {values[what]:g}."
            )
    if "altitude" in values:
        values["depth_m"] = 0.0 - values.pop("altitude")
    for what in ("depth_m", "height_m", "uncertainty_m"):
        value = values.get(what, 0.0)
        if value < 0 or not math.isfinite(value):
            named = "depths above the surface" if what == "depth_m" else f"negative {what}"
            notes.add(f"entries of the navigation say {named}; those are left out", value)
            del values[what]
    if ("latitude" in values) != ("longitude" in values):
        notes.add("entries of the navigation say half a position; it is left out", where)
        values.pop("latitude", None)
        values.pop("longitude", None)
    return values


def _by_file(
    path: Path,
    entries: Iterable[tuple[Mapping[str, str], dict[str, float]]],
    file_column: str,
    time_column: str | None,
    notes: Notes,
) -> NavigationFile:
    by_file: dict[str, FramePosition] = {}
    moments: dict[str, datetime] = {}
    for texts, values in entries:
        name = undefused(texts[file_column])
        if name in by_file:
            notes.add("files are named again further down; the last line counts", name)
        by_file[name] = FramePosition(**values, source=path.name)
        moment, _ = parse_capture_time(texts[time_column]) if time_column else (None, False)
        if moment is not None:
            moments[name] = moment
    return NavigationFile(path=path, by_file=by_file, moments=moments, notices=notes.sentences())


def _by_time(
    path: Path,
    entries: Iterable[tuple[Mapping[str, str], dict[str, float]]],
    time_column: str,
    notes: Notes,
) -> NavigationFile:
    seconds: list[float] = []
    columns: dict[str, list[float]] = {name: [] for name in QUANTITIES}
    for texts, values in entries:
        moment, _ = parse_capture_time(undefused(texts[time_column]))
        if moment is None:
            notes.add("entries of the navigation have no time that can be read", texts[time_column])
            continue
        seconds.append(seconds_of(moment))
        for name, column in columns.items():
            column.append(values.get(name, math.nan))
    if not seconds:
        raise DatasetError(
            f"{path} holds no entry whose {time_column} can be read. Write times as "
            "2026-01-31T12:00:00Z."
        )
    track = make_track(seconds, columns, path.name)
    return NavigationFile(path=path, track=track, notices=notes.sentences())


def _read_ifdo(path: Path) -> NavigationFile:
    values = parse_json(read_text(path, refusal=DatasetError), str(path), refusal=DatasetError)
    header, items = _ifdo_parts(values, path)
    notes = Notes()
    by_file: dict[str, FramePosition] = {}
    moments: dict[str, datetime] = {}
    for name, item in items.items():
        first = item[0] if isinstance(item, list) and item else item
        if not isinstance(first, dict):
            notes.add("items of the iFDO file are no objects; passed over", name)
            continue
        values = {**header, **first}
        found = _numbers_of(values, path, name)
        by_file[name] = FramePosition(**_checked(found, notes, f"{path}, {name}"), source=path.name)
        moment, _ = parse_capture_time(str(values.get("image-datetime", "")))
        if moment is not None:
            moments[name] = moment
    return NavigationFile(path=path, by_file=by_file, moments=moments, notices=notes.sentences())


def _ifdo_parts(values: object, path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    whole = values if isinstance(values, dict) else {}
    header, items = whole.get("image-set-header", {}), whole.get("image-set-items")
    if not isinstance(items, dict) or not isinstance(header, dict):
        raise DatasetError(
            f"{path} is no iFDO file: it lacks image-set-items, from file names to what is known."
        )
    return header, items


def _numbers_of(values: Mapping[str, Any], path: Path, name: str) -> dict[str, float]:
    found = {}
    for what, keys in {**_COLUMNS, "altitude": _ALTITUDES}.items():
        value = next((values[key] for key in keys if values.get(key) is not None), None)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise DatasetError(f"{path}, {name}: {what} must be a number, got {quoted(value)}.")
        found[what] = float(value)
    if "depth_m" in found:
        found.pop("altitude", None)
    return found


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def names_of_file(path: str, file_name: str, *, is_name_shared: bool) -> tuple[str, ...]:
    """Return the names by which a table may know a frame's file, the most exact first.

    Args:
        path: The file as the predictions name it.
        file_name: The same below the folder that all files share; of a video's frame with its time.
        is_name_shared: Whether other folders hold files of the same name, so that the name alone
            says nothing.
    """
    parts = path.replace("\\", "/").split("/")
    below = ["/".join(parts[start:]) for start in range(len(parts))]
    alone = () if is_name_shared else (parts[-1],)
    return tuple(dict.fromkeys((file_name, path, *below[:-1], *alone)))
