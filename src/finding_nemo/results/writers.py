"""Predictions to a file as they come, in any of `FORMATS`.

A file is written beside its place and renamed when it is whole, so no reader meets half of one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.files.atomic_files import atomic_write, write_text
from finding_nemo.core.files.output_checks import check_output_file
from finding_nemo.core.names.registries import load
from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.file_metadata import to_file_metadata
from finding_nemo.results.prediction_formats import FORMATS, Format, choose_format
from finding_nemo.results.schema import (
    USUAL_SPREADSHEET,
    Columns,
    SpreadsheetLayout,
    parquet_options,
)
from finding_nemo.results.submission import write_submission_file

# One row group: 2,048 rows of 290 float32 are 2.3 MB, small enough to hold, large enough that ten
# million rows have a footer of 5,000 entries.
ROWS_IN_GROUP = 2048

FinishMetadata = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputRequest:
    """What a writer is told beside the rows and the path.

    Attributes:
        schema: Of the rows.
        metadata: Called at the end for the provenance; returns JSON-ready values.
        fallback_ids: What a submission guesses for an image that could not be read, best first.
        layout: What a CSV file for people holds.
    """

    schema: pa.Schema
    metadata: FinishMetadata
    fallback_ids: Sequence[int]
    layout: SpreadsheetLayout = USUAL_SPREADSHEET


def provenance_path(path: Path) -> Path:
    """Return where the provenance of a CSV or JSONL predictions file is written."""
    return path.with_name(path.name + ".provenance.json")


def write_predictions(
    predictions: Iterable[Prediction],
    path: Path,
    *,
    category_ids: Sequence[int],
    metadata: FinishMetadata,
    fallback_ids: Sequence[int] = (),
    file_format: Format | None = None,
    with_vector: bool = True,
    overwrite: bool = False,
) -> int:
    """Write predictions in the order they come and return how many there were.

    Args:
        predictions: One an image.
        path: The file.
        category_ids: The category of each column of the probabilities.
        metadata: Called at the end for the provenance; must return JSON-ready values.
        fallback_ids: What a submission guesses for an image that could not be read, best
            first (class frequency, say); default: column order.
        file_format: One of `FORMATS`; by default what the suffix of `path` says.
        with_vector: Whether the full probability vector is kept (Parquet and JSONL).
        overwrite: Whether an existing file may be replaced.

    Raises:
        OutputExistsError: If `path` exists and `overwrite` is false.
        NoSpaceError: If the disk is full; nothing is left at `path`.
        SettingsError: If the format is unknown, or disagrees with the suffix.
        OutputError: If `path` cannot be written.
    """
    columns = Columns(len(category_ids), with_vector=with_vector)
    tables = (to_table(group, category_ids, columns) for group in _grouped(predictions))
    return write_tables(
        tables,
        path,
        schema=columns.schema(),
        metadata=metadata,
        fallback_ids=fallback_ids or category_ids,
        file_format=file_format,
        overwrite=overwrite,
    )


def _grouped(predictions: Iterable[Prediction]) -> Iterator[list[Prediction]]:
    iterator = iter(predictions)
    while group := list(islice(iterator, ROWS_IN_GROUP)):
        yield group


def write_tables(
    tables: Iterable[pa.Table],
    path: Path,
    *,
    schema: pa.Schema,
    metadata: FinishMetadata,
    fallback_ids: Sequence[int],
    file_format: Format | None = None,
    overwrite: bool = False,
    layout: SpreadsheetLayout = USUAL_SPREADSHEET,
) -> int:
    """Write tables of rows one after the other and return how many rows there were.

    See `write_predictions` for the arguments and errors; `layout` is that of a CSV file.
    """
    check_output_file(path, overwrite=overwrite)
    chosen = FORMATS[choose_format(path, file_format)]
    request = OutputRequest(
        schema=schema, metadata=metadata, fallback_ids=fallback_ids, layout=layout
    )
    count: int = load(chosen.writer)(tables, path, request)
    return count


def write_parquet(tables: Iterable[pa.Table], path: Path, request: OutputRequest) -> int:
    """Write rows as Parquet, the provenance in its metadata, and return how many there were."""
    schema = request.schema
    count = 0
    with (
        atomic_write(path) as partial,
        pq.ParquetWriter(partial, schema, **parquet_options(schema)) as writer,
    ):
        for table in regrouped(tables, ROWS_IN_GROUP):
            writer.write_table(table, row_group_size=ROWS_IN_GROUP)
            count += len(table)
        writer.add_key_value_metadata(to_file_metadata(request.metadata()))
    return count


def regrouped(tables: Iterable[pa.Table], n_rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `n_rows` each; the last may be shorter."""
    held: list[pa.Table] = []
    n_held = 0
    for table in tables:
        held.append(table)
        n_held += len(table)
        while n_held >= n_rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, n_rows).combine_chunks()
            held, n_held = [whole.slice(n_rows)], n_held - n_rows
    if n_held:
        yield pa.concat_tables(held).combine_chunks()


def write_jsonl(tables: Iterable[pa.Table], path: Path, request: OutputRequest) -> int:
    """Write rows as JSON, one a line, the provenance beside it, and return how many there were."""
    count = 0
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as file:
        for table in tables:
            for row in table.to_pylist():
                file.write(json_line(row))
            count += len(table)
    write_provenance(path, request)
    return count


def json_line(row: Mapping[str, Any]) -> str:
    """Return a row as a line of JSON, with its end."""
    return json.dumps(row, ensure_ascii=False, default=datetime.isoformat) + "\n"


def write_provenance(path: Path, request: OutputRequest) -> None:
    """Write the provenance beside the file at `path`, for a format that cannot hold it."""
    text = json.dumps(request.metadata(), indent=2, ensure_ascii=False)
    write_text(provenance_path(path), text + "\n")


def write_submission(tables: Iterable[pa.Table], path: Path, request: OutputRequest) -> int:
    """Write what the competition takes, and return how many rows there were."""
    columns = ["image_id", "categories", "novelty"]
    rows = (row for table in tables for row in table.select(columns).to_pylist())
    return write_submission_file(rows, path, request.fallback_ids)
