"""Predictions in Parquet, ours or saved again by pandas or polars, into columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.results.content_hash import ContentHash
from finding_nemo.results.file_metadata import (
    BROKEN_PARQUET,
    metadata_of,
    open_parquet,
    refuse_other_rows,
    unreadable,
)
from finding_nemo.results.reading.row_values import KINDS, NEEDED, from_json
from finding_nemo.results.reading.text_reader import ReadColumns, stacked
from finding_nemo.results.schema import Columns

_TYPES = {
    field.name: field.type for field in Columns(0, with_vector=False, with_time=True).schema()
}


def read_parquet(path: Path, *, verify: bool) -> ReadColumns:
    """Read a Parquet file.

    Args:
        path: The file.
        verify: Whether its pages, its metadata and its rows are checked against their hashes.

    Raises:
        PredictionsError: If it is damaged, or a column is missing or of another type.
    """
    file = open_parquet(path, verify=verify)
    metadata = metadata_of(file, path, verify=verify)
    try:
        lacking = [name for name in NEEDED if name not in file.schema_arrow.names]
        if lacking:
            found = ", ".join(file.schema_arrow.names)[:300] or "none"
            raise PredictionsError(
                f"{path} cannot be read as predictions: it lacks the columns "
                f"{', '.join(lacking)}; it has {found}."
            )
        table = file.read()
        if verify and "content_sha256" in metadata:
            digest = ContentHash(file.schema_arrow)
            digest.add(table)
            refuse_other_rows(path, metadata, digest.hexdigest())
        return read_rows(table, metadata, path)
    except PredictionsError:
        raise
    except BROKEN_PARQUET as error:
        raise unreadable(path, error) from None


def read_rows(
    table: pa.Table,
    metadata: dict[str, Any],
    path: Path,
    *,
    first_row: int = 1,
    on_fault: OnFault = stop_at_fault,
) -> ReadColumns:
    """Return the columns of an Arrow table; `path` is named where one cannot be read.

    Args:
        table: The rows.
        metadata: Of their file.
        path: The file.
        first_row: The number of the first of them in the file, from 1.
        on_fault: Takes each value of another type, which is then read as `None`.

    Raises:
        PredictionsError: If a column is of another type.
    """
    positions = [f"row {number}" for number in range(first_row, first_row + len(table))]
    columns = {
        name: _values(table.column(name), name, path, positions, on_fault)
        for name in KINDS
        if name in table.column_names
    }
    return ReadColumns(columns, positions, metadata, _vector(table, positions, path))


def _values(
    column: pa.ChunkedArray, name: str, path: Path, positions: list[str], on_fault: OnFault
) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if column.type == _TYPES[name] or _is_our_list(column.type, _TYPES[name]):
        return values
    for row, value in enumerate(values):
        try:
            values[row] = from_json(name, value)
        except ValueError as error:
            values[row] = None
            on_fault(PredictionsError(f"{path}, {positions[row]}, {name}: {error}."))
    return values


def _is_our_list(found: pa.DataType, wanted: pa.DataType) -> bool:
    # The entries of a list have one name in memory and another in a file.
    are_lists = pa.types.is_list(found) and pa.types.is_list(wanted)
    return are_lists and bool(found.value_type == wanted.value_type)


def _vector(table: pa.Table, positions: list[str], path: Path) -> Float32s | None:
    if "vector" not in table.column_names:
        return None
    column = table.column("vector")
    if not pa.types.is_fixed_size_list(column.type):
        rows = [
            None if row is None else np.asarray(row, dtype=np.float32) for row in column.to_pylist()
        ]
        return stacked(rows, positions, path)
    width = column.type.list_size
    out = np.full((len(column), width), np.nan, dtype=np.float32)
    start = 0
    for chunk in column.chunks:
        present = np.asarray(chunk.is_valid())
        kept = start + np.flatnonzero(present)
        out[kept] = chunk.drop_null().flatten().to_numpy().reshape(-1, width)
        start += len(chunk)
    return out
