"""Reports of BIIGLE: image labels, or annotations drawn in images, as CSV.

Source:
    https://biigle.de/manual/tutorials/reports/reports-schema
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.files.table_files import TableRow
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.json_text import parse_json
from finding_nemo.data.datasets.csv_rows import read_csv_table
from finding_nemo.data.datasets.tools.annotated_frame import (
    AnnotatedFrame,
    FrameLabel,
    FramePlace,
    Sides,
)
from finding_nemo.data.datasets.tools.assemble_dataset import ToolFile, assemble_dataset
from finding_nemo.data.datasets.tools.shapes import NO_BOX, around_circle, around_points, numbers_in
from finding_nemo.data.datasets.tools.tool_fields import (
    at_place,
    depth_of_altitude,
    label_name,
    place_of,
    size_px,
)

_REQUIRED = ("filename", "label_name")
_METADATA = "metadata.csv"
# How volumes name their columns; the first that is there counts.
_FILES = ("filename", "file")
_TIMES = ("taken_at", "sub_datetime")
_LATITUDES = ("lat", "latitude", "sub_latitude", "image_latitude")
_LONGITUDES = ("lng", "lon", "longitude", "sub_longitude", "image_longitude")
_ALTITUDES = ("gps_altitude", "sub_altitude")
_PROGRAM = "Finding Nemo"


def read_biigle_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read a report of image labels or of image annotations.

    `metadata.csv` beside it, as BIIGLE imports and `convert` writes it, gives times and depths, and
    names the images that have no label. BIIGLE marks no label as a machine's; only those that
    `convert` wrote for its model (firstname "Finding Nemo") count as such. A report names no dive.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it is a report of videos, a column is missing, or a cell cannot be what
            it must be; with the line.
    """
    table = read_csv_table(path, required=_REQUIRED)
    source = ToolFile(path=path, images=images, pattern=pattern)
    rows = list(table.rows)
    known = _metadata(source)
    return assemble_dataset(_frames(rows, known, source), source)


def _metadata(source: ToolFile) -> dict[str, Mapping[str, str]]:
    """Return the rows of the table beside the report, by file name; none where there is none."""
    path = source.path.parent / _METADATA
    if not path.is_file():
        return {}
    for column in _FILES:
        try:
            table = read_csv_table(path, required=(column,))
        except AnnotationError:
            continue
        return {row.values[column].strip(): row.values for row in table.rows}
    source.notes.add("files are no metadata of BIIGLE, and are not read", _METADATA)
    return {}


def _frames(
    rows: list[TableRow], known: Mapping[str, Mapping[str, str]], source: ToolFile
) -> Iterator[AnnotatedFrame]:
    labels: dict[str, list[FrameLabel]] = {}
    first: dict[str, TableRow] = {}
    for row in rows:
        with at_place(source.path, f"line {row.line}"):
            name = row.values["filename"].strip()
            first.setdefault(name, row)
            labels.setdefault(name, []).append(_label(row.values, source))
    for name, row in first.items():
        yield _frame(
            name, f"line {row.line}", {**row.values, **known.get(name, {})}, source, labels
        )
    for name, values in known.items():
        if name not in first:
            yield _frame(name, f"{_METADATA} beside it", values, source, labels)


def _frame(
    name: str,
    where: str,
    values: Mapping[str, str],
    source: ToolFile,
    labels: Mapping[str, list[FrameLabel]],
) -> AnnotatedFrame:
    width, height = _size(values, source)
    return AnnotatedFrame(
        where=where,
        file_names=(name,),
        labels=tuple(labels.get(name, ())),
        width=width,
        height=height,
        captured=_first(values, _TIMES),
        place=_place(values, source),
    )


def _first(values: Mapping[str, str], columns: tuple[str, ...]) -> str | None:
    return next((values[column] for column in columns if values.get(column, "").strip()), None)


def _place(values: Mapping[str, str], source: ToolFile) -> FramePlace:
    return place_of(
        depth_of_altitude(_first(values, _ALTITUDES)),
        _first(values, _LATITUDES),
        _first(values, _LONGITUDES),
        source.notes,
    )


def _size(values: Mapping[str, str], source: ToolFile) -> tuple[int | None, int | None]:
    """Return the size of the frame, which annotation reports give in their `attributes`."""
    text = values.get("attributes", "").strip()
    if not text:
        return None, None
    found = _json(text, "attributes")
    known = found if isinstance(found, dict) else {}
    return (
        size_px(known.get("width"), source.notes),
        size_px(known.get("height"), source.notes),
    )


def _json(text: str, column: str) -> Any:  # noqa: ANN401 - JSON values are of any type
    return parse_json(text, column, refusal=AnnotationError)


def _label(values: Mapping[str, str], source: ToolFile) -> FrameLabel:
    if values.get("frames", "").strip():
        raise AnnotationError("it is of a video (it has frames); only reports of images are read")
    name = label_name(values["label_name"], "label_name")
    return FrameLabel(
        name=name,
        sides=_sides(values, source),
        by_machine=values.get("firstname", "").strip() == _PROGRAM,
        supercategory=_group(name, values.get("label_hierarchy", "")),
    )


def _group(name: str, hierarchy: str) -> str:
    """Return what stands directly above a label in its tree."""
    above = hierarchy.strip().removesuffix(name)
    if not above.rstrip().endswith(">"):
        return ""
    return above.rstrip()[:-1].rsplit(" > ", 1)[-1].strip()


def _sides(values: Mapping[str, str], source: ToolFile) -> Sides | None:
    """Return the box around a shape."""
    text = values.get("points", "").strip()
    if not text or text == "[]":
        return None
    numbers = numbers_in(_json(text, "points"))
    if numbers is None:
        raise AnnotationError(f"points must be a list of finite numbers, got {quoted(text)}")
    found = around_circle(numbers) if len(numbers) == 3 else around_points(numbers)
    if found is None:
        source.notes.add(NO_BOX, text)
    return found
