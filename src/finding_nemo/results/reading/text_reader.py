"""Predictions in CSV and JSONL, ours or saved again by another program, into columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import FindingNemoError, PredictionsError
from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.core.files.table_files import Table, read_table
from finding_nemo.core.files.text_files import read_lines, read_text
from finding_nemo.core.text.json_text import kind_of, parse_json
from finding_nemo.results.file_metadata import parse_metadata
from finding_nemo.results.reading.row_values import KINDS, NEEDED, from_json, from_text
from finding_nemo.results.writers import provenance_path


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """A predictions file as columns.

    Attributes:
        columns: From name to values, one a row.
        positions: Where each row is ("line 3"), for messages.
        metadata: What its metadata tell.
        vector: Every probability of each row, NaN where a row has none; `None` if no row has.
    """

    columns: Mapping[str, list[Any]]
    positions: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    vector: Float32s | None = None


def read_csv(path: Path, *, verify: bool = False) -> ReadColumns:
    """Read a CSV file of an earlier version, or one that Excel or pandas saved from it.

    Nothing is verified.

    Raises:
        PredictionsError: If it is a table for people, a column is missing, or a cell cannot be
            its value; with the line.
    """
    del verify
    names, rows = csv_rows(path)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    positions = []
    for row in rows:
        positions.append(row.position)
        for name in names:
            columns[name].append(row.values[name])
    return ReadColumns(columns, positions, metadata_beside(path))


@dataclass(frozen=True, slots=True)
class TextRow:
    """One row of a CSV or JSONL file of predictions.

    Attributes:
        position: Where it is ("line 3"), for messages.
        values: From each column that is read to its value.
        vector: Every probability, where it has them.
    """

    position: str
    values: Mapping[str, Any]
    vector: Float32s | None = None


def csv_rows(path: Path, on_fault: OnFault = stop_at_fault) -> tuple[list[str], Iterator[TextRow]]:
    """Return the columns of a CSV file that are read, and its rows as they are asked for.

    Args:
        path: The file.
        on_fault: Takes each fault of a row; rows with one are left out.

    Raises:
        PredictionsError: If it is a table for people, no table, or a column is missing.
    """
    _refuse_spreadsheet(path)
    table = read_table(path, required=NEEDED, refusal=PredictionsError, on_fault=on_fault)
    names = [name for name in KINDS if name in table.names]
    return names, _csv_rows(table, names, path, on_fault)


def _csv_rows(table: Table, names: list[str], path: Path, on_fault: OnFault) -> Iterator[TextRow]:
    for row in table.rows:
        position = f"line {row.line}"
        values = {}
        for name in names:
            try:
                value = from_text(name, row.values[name], decimal_comma=table.decimal_comma)
            except ValueError as error:
                on_fault(PredictionsError(f"{path}, {position}, {name}: {error}."))
                continue
            values[name] = value
        if len(values) == len(names):
            yield TextRow(position, values)


def _refuse_spreadsheet(path: Path) -> None:
    """Refuse a table for people: it holds a few guesses of each image, rounded."""
    header = next(iter(read_lines(path, refusal=PredictionsError)), "").lower()
    names = {name.strip(' "\r\n') for name in re.split("[,;\t]", header)}
    if {"image", "answer", "guess1", "probability1"} <= names:
        raise PredictionsError(
            f"{path} is the table for people: it holds a few guesses of each image, rounded, so "
            "nothing can be computed from it. Predict into a .parquet or .jsonl file, and give "
            "that one."
        )


def read_jsonl(path: Path, *, verify: bool = False) -> ReadColumns:
    """Read a file of one JSON object a line; nothing is verified.

    Raises:
        PredictionsError: If a line is no JSON (the last may be cut off), lacks a key, or holds
            a value of another type; with the line.
    """
    del verify
    columns: dict[str, list[Any]] = {name: [] for name in KINDS}
    positions, vectors = [], []
    for row in json_rows(path):
        positions.append(row.position)
        for name, values in columns.items():
            values.append(row.values[name])
        vectors.append(row.vector)
    return ReadColumns(columns, positions, metadata_beside(path), stacked(vectors, positions, path))


def json_rows(path: Path, on_fault: OnFault = stop_at_fault) -> Iterator[TextRow]:
    """Yield the rows of a JSONL file.

    Args:
        path: The file.
        on_fault: Takes each fault of a line; lines with one are left out.

    Raises:
        PredictionsError: If it is missing or no text.
    """
    for number, line in enumerate(read_lines(path, refusal=PredictionsError), start=1):
        if not line.strip():
            continue
        faults: list[FindingNemoError] = []
        found = _json_row(line, number, path, faults.append)
        for fault in faults:
            on_fault(fault)
        if found is not None and not faults:
            yield found


def _json_row(line: str, number: int, path: Path, on_fault: OnFault) -> TextRow | None:
    position = f"line {number}"
    where = f"{path}, {position}"
    try:
        row = parse_json(line, str(path), refusal=PredictionsError, first_line=number)
    except PredictionsError as error:
        on_fault(error)
        return None
    if not isinstance(row, dict):
        on_fault(PredictionsError(f"{where}: must be an object, got {kind_of(row)}."))
        return None
    for name in NEEDED:
        if name not in row:
            on_fault(PredictionsError(f"{where}: the key {name!r} is missing."))
    values, vector = {}, None
    for name in KINDS:
        try:
            values[name] = from_json(name, row.get(name))
        except ValueError as error:
            on_fault(PredictionsError(f"{where}, {name}: {error}."))
    try:
        vector = _vector(row.get("vector"), path, position)
    except PredictionsError as error:
        on_fault(error)
    return TextRow(position, values, vector)


def _vector(value: object, path: Path, position: str) -> Float32s | None:
    if value is None:
        return None
    try:
        vector = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        vector = np.empty((0, 0), dtype=np.float32)
    if vector.ndim != 1 or not isinstance(value, list):
        raise PredictionsError(f"{path}, {position}, vector: must be a list of numbers.")
    return vector


def stacked(vectors: list[Float32s | None], positions: list[str], path: Path) -> Float32s | None:
    """Return the rows as one array, NaN where there is none; `None` if no row has one.

    Raises:
        PredictionsError: If they differ in length.
    """
    first = next((vector for vector in vectors if vector is not None), None)
    if first is None:
        return None
    out = np.full((len(vectors), first.size), np.nan, dtype=np.float32)
    for row, (vector, position) in enumerate(zip(vectors, positions, strict=True)):
        if vector is None:
            continue
        if vector.size != first.size:
            raise PredictionsError(
                f"{path}, {position}: {vector.size} probabilities in vector, where other rows have "
                f"{first.size}."
            )
        out[row] = vector
    return out


def metadata_beside(path: Path) -> dict[str, Any]:
    """Return what the provenance beside a CSV or JSONL file tells, nothing where there is none.

    Raises:
        PredictionsError: If it is not that of a predictions file.
    """
    beside = provenance_path(path)
    if not beside.is_file():
        return {}
    return parse_metadata(read_text(beside, refusal=PredictionsError).encode(), beside)
