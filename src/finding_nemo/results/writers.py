"""Predictions to a file as they come: Parquet, CSV, JSONL or the competition's submission.

A file is written beside its place and renamed when it is whole, so no reader meets half of one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.files import refuse_existing, write_text, written_whole
from finding_nemo.core.records import Prediction
from finding_nemo.results.reading_columns import NOTHING_READ
from finding_nemo.results.rows import to_rows
from finding_nemo.results.schema import METADATA_KEY, arrow_schema
from finding_nemo.results.submission import submission_row

Format = Literal["parquet", "csv", "jsonl", "submission"]
FORMATS: tuple[Format, ...] = ("parquet", "csv", "jsonl", "submission")

# One row group: 512 rows of 290 float32 are 0.6 MB, small enough to hold, large enough to compress.
ROWS_IN_GROUP = 512

Rows = list[dict[str, Any]]
FinishMetadata = Callable[[], Mapping[str, Any]]


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
    file_format: Format = "parquet",
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
        file_format: One of `FORMATS`.
        with_vector: Whether the full probability vector is kept (Parquet and JSONL).
        overwrite: Whether an existing file may be replaced.

    Raises:
        OutputExistsError: If `path` exists and `overwrite` is false.
        NoSpaceError: If the disk is full; nothing is left at `path`.
        SettingsError: If `file_format` is unknown.
    """
    if file_format not in FORMATS:
        raise SettingsError(f"Unknown format {file_format!r}; known: {', '.join(FORMATS)}.")
    refuse_existing(path, overwrite=overwrite)
    keep_vector = with_vector and file_format in ("parquet", "jsonl")
    groups = _groups(predictions, category_ids, keep_vector)
    if file_format == "parquet":
        return _write_parquet(groups, path, len(category_ids), keep_vector, metadata)
    if file_format == "submission":
        return _write_submission(groups, path, fallback_ids or category_ids)
    count = (_write_csv if file_format == "csv" else _write_jsonl)(groups, path)
    story = json.dumps(metadata(), indent=2, ensure_ascii=False)
    write_text(provenance_path(path), story + "\n")
    return count


def _groups(
    predictions: Iterable[Prediction], category_ids: Sequence[int], with_vector: bool
) -> Iterator[Rows]:
    iterator = iter(predictions)
    while group := list(islice(iterator, ROWS_IN_GROUP)):
        yield to_rows(group, category_ids, with_vector=with_vector)


def _write_parquet(
    groups: Iterator[Rows],
    path: Path,
    n_categories: int,
    with_vector: bool,
    metadata: FinishMetadata,
) -> int:
    schema = arrow_schema(n_categories, with_vector=with_vector)
    count = 0
    with (
        written_whole(path) as partial,
        pq.ParquetWriter(partial, schema, compression="zstd") as writer,
    ):
        for rows in groups:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(rows)
        story = json.dumps(metadata(), ensure_ascii=False)
        writer.add_key_value_metadata({METADATA_KEY: story.encode()})
    return count


_CSV_COLUMNS = (
    "image_id", "path", "width", "height", "failure", "categories", "probabilities", "novelty",
    *NOTHING_READ,
)  # fmt: skip


def _write_csv(groups: Iterator[Rows], path: Path) -> int:
    count = 0
    with written_whole(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_CSV_COLUMNS)
        for rows in groups:
            writer.writerows([_csv_cell(row[name]) for name in _CSV_COLUMNS] for row in rows)
            count += len(rows)
    return count


def _csv_cell(value: object) -> object:
    return " ".join(str(entry) for entry in value) if isinstance(value, list) else value


def _write_jsonl(groups: Iterator[Rows], path: Path) -> int:
    count = 0
    with written_whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        for rows in groups:
            for row in rows:
                file.write(json.dumps(_plain(row), ensure_ascii=False) + "\n")
            count += len(rows)
    return count


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("vector") is None:
        return row
    return {**row, "vector": row["vector"].tolist()}


def _write_submission(groups: Iterator[Rows], path: Path, fallback_ids: Sequence[int]) -> int:
    count = 0
    with written_whole(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "categories", "osd"))
        for rows in groups:
            writer.writerows(submission_row(row, fallback_ids) for row in rows)
            count += len(rows)
    return count
