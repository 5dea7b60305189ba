"""Predictions files of any length, checked in a stream: their bytes, columns, rows and ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.files.fault_handling import OnFault, pass_over_fault
from finding_nemo.results.content_hash import ContentHash
from finding_nemo.results.file_metadata import (
    BROKEN_PARQUET,
    metadata_of,
    open_parquet,
    refuse_other_rows,
    unreadable,
)
from finding_nemo.results.reading.parquet_reader import read_rows
from finding_nemo.results.reading.readers import check_version, table_of
from finding_nemo.results.reading.row_faults import table_faults
from finding_nemo.results.reading.row_values import NEEDED
from finding_nemo.results.reading.text_reader import (
    ReadColumns,
    TextRow,
    csv_rows,
    json_rows,
    metadata_beside,
    stacked,
)
from finding_nemo.validating.column_rules import category_table_faults, faults_of_columns
from finding_nemo.validating.fault_list import FaultList
from finding_nemo.validating.repeated_ids import RepeatedIds

_ROWS_AT_A_TIME = 1024
# Without these no row can be judged; others are taken for empty where they are missing.
_ROWS_NEED = {"image_id", "failure", "categories", "probabilities"}


@dataclass
class _Rows:
    """What is known of a file while its rows go by."""

    path: Path
    metadata: Mapping[str, Any]
    faults: FaultList
    ids: RepeatedIds = field(default_factory=RepeatedIds)
    count: int = 0

    def check(self, found: ReadColumns, rows: pa.Table | None = None) -> None:
        """Check some rows."""
        self.count += len(found.positions)
        missing = {n: [None] * len(found.positions) for n in NEEDED if n not in found.columns}
        found = ReadColumns(
            {**found.columns, **missing}, found.positions, found.metadata, found.vector
        )
        self.ids.add(text or "" for text in found.columns["image_id"])
        try:
            table = table_of(found, self.path)
        except PredictionsError as error:
            self.faults(error)
            return
        self.faults.add_all(table_faults(table, found.positions, self.path))
        for fault in faults_of_columns(found, rows):
            self.faults.add(*fault)

    def end(self, again: Iterator[tuple[str, str]]) -> int:
        """Look for images that are there twice, and return how many rows there were."""
        for position, image_id, first in self.ids.repeated(again):
            words = f"the image {image_id!r} has a row already ({first}); each must have one."
            self.faults.add(position, "image_id", words)
        return self.count


def check_predictions(path: Path, faults: FaultList) -> int | None:
    """Check a predictions file, and return how many rows were read."""
    suffix = path.suffix.lower()
    try:
        if suffix in (".jsonl", ".ndjson"):
            return _check_text(path, faults, json_rows)
        if suffix in (".csv", ".tsv", ".txt"):
            return _check_text(path, faults, _csv_rows)
        return _check_parquet(path, faults)
    except PredictionsError as error:
        faults(error)
    return None


def _check_parquet(path: Path, faults: FaultList) -> int:
    file = open_parquet(path)
    metadata = _parquet_metadata(file, path, faults)
    names = file.schema_arrow.names
    lacking = [name for name in NEEDED if name not in names]
    for name in lacking:
        shown = ", ".join(names)[:300] or "none"
        faults.add("", name, f"the column is missing; the file has {shown}.")
    if not _can_go_on(path, metadata, faults) or _ROWS_NEED & set(lacking):
        return 0
    rows, digest = _Rows(path, metadata, faults), ContentHash(file.schema_arrow)
    for table in _tables(file, path):
        digest.add(table)
        found = _read(table, metadata, path, rows.count + 1, faults)
        if found is None:
            rows.count += len(table)
        else:
            rows.check(found, table)
    try:
        refuse_other_rows(path, metadata, digest.hexdigest())
    except PredictionsError as error:
        faults(error)
    return rows.end(_parquet_ids(file, path))


def _parquet_metadata(file: pq.ParquetFile, path: Path, faults: FaultList) -> dict[str, Any]:
    for verify in (True, False):
        try:
            return metadata_of(file, path, verify=verify)
        except PredictionsError as error:
            faults(error)
    return {}


def _can_go_on(path: Path, metadata: Mapping[str, Any], faults: FaultList) -> bool:
    """Check the metadata; return whether the rows are of a version that can be judged."""
    try:
        check_version(metadata, path)
    except PredictionsError as error:
        faults(error)
        return False
    for key, words in category_table_faults(metadata):
        faults.add("", key, words)
    return True


def _tables(file: pq.ParquetFile, path: Path) -> Iterator[pa.Table]:
    try:
        for batch in file.iter_batches(_ROWS_AT_A_TIME):
            yield pa.Table.from_batches([batch])
    except BROKEN_PARQUET as error:
        raise unreadable(path, error) from None


def _read(
    table: pa.Table, metadata: dict[str, Any], path: Path, first_row: int, faults: FaultList
) -> ReadColumns | None:
    try:
        return read_rows(table, metadata, path, first_row=first_row, on_fault=faults)
    except PredictionsError as error:
        faults(error)
    except BROKEN_PARQUET as error:
        faults(unreadable(path, error))
    return None


def _parquet_ids(file: pq.ParquetFile, path: Path) -> Iterator[tuple[str, str]]:
    row = 0
    try:
        for batch in file.iter_batches(_ROWS_AT_A_TIME, columns=["image_id"]):
            for image_id in batch.column(0).to_pylist():
                row += 1
                yield f"row {row}", str(image_id or "")
    except BROKEN_PARQUET as error:
        raise unreadable(path, error) from None


def _check_text(
    path: Path, faults: FaultList, read: Callable[[Path, OnFault], Iterator[TextRow]]
) -> int:
    metadata = _metadata_beside(path, faults)
    if not _can_go_on(path, metadata, faults):
        return 0
    rows = _Rows(path, metadata, faults)
    for some in _in_parts(read(path, faults)):
        _check_text_rows(some, rows)
    return rows.end(_ids_of(read(path, pass_over_fault)))


def _csv_rows(path: Path, on_fault: OnFault) -> Iterator[TextRow]:
    return csv_rows(path, on_fault)[1]


def _in_parts(rows: Iterator[TextRow]) -> Iterator[tuple[TextRow, ...]]:
    while part := tuple(islice(rows, _ROWS_AT_A_TIME)):
        yield part


def _ids_of(rows: Iterator[TextRow]) -> Iterator[tuple[str, str]]:
    for row in rows:
        yield row.position, row.values["image_id"] or ""


def _metadata_beside(path: Path, faults: FaultList) -> dict[str, Any]:
    try:
        return metadata_beside(path)
    except PredictionsError as error:
        faults(error)
    return {}


def _check_text_rows(some: tuple[TextRow, ...], rows: _Rows) -> None:
    positions = [row.position for row in some]
    columns = {name: [row.values[name] for row in some] for name in some[0].values}
    try:
        vector = stacked([row.vector for row in some], positions, rows.path)
    except PredictionsError as error:
        rows.faults(error)
        vector = None
    rows.check(ReadColumns(columns, positions, dict(rows.metadata), vector))
