"""Predictions as a table for people: one value a cell, names before numbers.

Spreadsheets open it as it is: UTF-8 with a byte-order mark, no cell that begins a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.results.schema import SpreadsheetLayout
from finding_nemo.results.writers import OutputRequest, write_provenance

# What Excel needs to take a CSV file for UTF-8.
_ENCODING = "utf-8-sig"
_BEFORE = ("image", "dive", "time", "depth", "answer", "confidence", "why")
_AFTER = ("unusual_percent", "look_first", "failure", "width", "height")
_NEEDED = ("dive", "captured", "names", "answer", "confidence", "why", "look_first")
# Only of adapted predictions: how the row came about.
_METHOD = "method"
_READ = (
    *("image_id", "path", "time_s", "width", "height", "failure"),
    *("categories", "probabilities", "unusualness"),
)


def spreadsheet_columns(layout: SpreadsheetLayout) -> tuple[str, ...]:
    """Return the names of the columns in order."""
    ids = ("id",) if layout.with_ids else ()
    columns = [*ids, *_BEFORE]
    for place in range(1, layout.guesses + 1):
        columns += [f"guess{place}", *([f"guess{place}_id"] if ids else [])]
        columns.append(f"probability{place}")
    return (*columns, *_AFTER)


def spreadsheet_row(row: Mapping[str, Any], layout: SpreadsheetLayout) -> list[object]:
    """Return the cells of one row of a predictions file, in the order of the columns.

    Args:
        row: From column name to value; what is unknown is `None`.
        layout: What is wanted.
    """
    before: list[object] = [row["image_id"]] if layout.with_ids else []
    before += [row["path"] or row["image_id"], row["dive"], _time(row), None]
    before += [row["answer"], row["confidence"], row["why"]]
    guesses: list[object] = []
    ids, values = row["categories"] or [], row["probabilities"] or []
    names = row["names"] or ids
    for place in range(layout.guesses):
        is_there = place < len(values)
        guesses.append(str(names[place]) if is_there else None)
        if layout.with_ids:
            guesses.append(ids[place] if is_there else None)
        guesses.append(probability_in_words(values[place]) if is_there else None)
    unusual = row.get("unusualness")
    percent = None if unusual is None else round(100 * unusual)
    after = [percent, row["look_first"], row["failure"], row["width"], row["height"]]
    return [*before, *guesses, *after]


def probability_in_words(value: float) -> str:
    """Return a probability with the digits that mean something: 0.87, 0.034, 0.002."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _time(row: Mapping[str, Any]) -> str | None:
    """Return the seconds in the video, or the moment in ISO 8601; a bare date has no time."""
    if row.get("time_s") is not None:
        return f"{row['time_s']:.3f}".rstrip("0").rstrip(".")
    moment: datetime | None = row["captured"]
    if moment is None:
        return None
    return (moment.date() if moment.time() == time.min else moment).isoformat()


def write_spreadsheet(tables: Iterable[pa.Table], path: Path, request: OutputRequest) -> int:
    """Write rows as CSV for people, the provenance beside it, and return how many there were.

    With ids, the table of categories is written beside it as well.

    Raises:
        PredictionsError: If the rows are of an earlier version, which gave no answers.
    """
    layout, names = request.layout, request.schema.names
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        raise PredictionsError(
            f"A CSV file holds answers, and these predictions have none ({lacking[0]} is missing): "
            "an earlier version made them. Predict again, or write a .parquet or .jsonl file."
        )
    kept = [name for name in (*_READ, *_NEEDED, _METHOD) if name in names]
    last = [name for name in (_METHOD,) if name in names]
    count = 0
    with atomic_write(path) as partial, partial.open("w", encoding=_ENCODING, newline="") as file:
        writer = TableWriter(file)
        writer.write((*spreadsheet_columns(layout), *last))
        for table in tables:
            for row in table.select(kept).to_pylist():
                writer.write([*spreadsheet_row(row, layout), *(row[name] for name in last)])
            count += len(table)
    if layout.with_ids:
        _write_categories(path, request.metadata()["categories"])
    write_provenance(path, request)
    return count


def categories_path(path: Path) -> Path:
    """Return where the table of categories of a CSV file is written."""
    return path.with_name(f"{path.stem}.categories.csv")


def _write_categories(path: Path, categories: Iterable[Mapping[str, Any]]) -> None:
    beside = categories_path(path)
    with atomic_write(beside) as partial, partial.open("w", encoding=_ENCODING, newline="") as file:
        writer = TableWriter(file)
        writer.write(("id", "name", "supercategory"))
        for entry in categories:
            cells = (entry["category_id"], entry.get("name"), entry.get("supercategory"))
            writer.write(cells)
