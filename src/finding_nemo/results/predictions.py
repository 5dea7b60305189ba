"""Predictions files back into memory, whatever their format."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.errors import PredictionsError
from finding_nemo.results.reading_columns import NOTHING_READ, csv_reading, reading_columns
from finding_nemo.results.schema import METADATA_KEY, SCHEMA_VERSION, PredictionTable
from finding_nemo.results.writers import provenance_path


def read_predictions(path: Path | str) -> PredictionTable:
    """Read a predictions file (.parquet, .csv or .jsonl).

    Raises:
        PredictionsError: If it is missing, of another format or schema version, damaged,
            or names an image twice.
    """
    path = Path(path)
    if not path.is_file():
        raise PredictionsError(f"The predictions file {path} does not exist.")
    readers = {".parquet": _read_parquet, ".csv": _read_csv, ".jsonl": _read_jsonl}
    if path.suffix not in readers:
        raise PredictionsError(
            f"{path} has the suffix {path.suffix!r}; predictions are .parquet, .csv or .jsonl."
        )
    try:
        table = readers[path.suffix](path)
    except (pa.ArrowException, ValueError, KeyError, OSError, csv.Error) as error:
        if isinstance(error, PredictionsError):
            raise
        raise PredictionsError(f"{path} cannot be read as predictions: {error}.") from None
    _check(table, path)
    return table


def _check(table: PredictionTable, path: Path) -> None:
    version = table.metadata.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise PredictionsError(
            f"{path} has schema version {version}; this program reads {SCHEMA_VERSION}. "
            "Predict again with this version."
        )
    if len(set(table.image_ids)) != len(table):
        raise PredictionsError(f"{path} names an image twice; each must have one row.")


def _read_parquet(path: Path) -> PredictionTable:
    arrow = pq.read_table(path)
    # Written when the file is closed, so it is the file's metadata and not the Arrow schema's.
    story = json.loads((pq.read_metadata(path).metadata or {}).get(METADATA_KEY, b"{}"))
    columns = {
        name: arrow.column(name).to_pylist()
        for name in arrow.column_names
        if name not in ("vector", "embedding")
    }
    vector = _vector(arrow.column("vector")) if "vector" in arrow.column_names else None
    return _table(columns, story, vector)


def _vector(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    width = column.type.list_size
    out = np.full((len(column), width), np.nan, dtype=np.float32)
    start = 0
    for chunk in column.chunks:
        present = np.asarray(chunk.is_valid())
        rows = start + np.flatnonzero(present)
        out[rows] = chunk.drop_null().flatten().to_numpy().reshape(-1, width)
        start += len(chunk)
    return out


def _read_csv(path: Path) -> PredictionTable:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns: dict[str, list[Any]] = {
        "image_id": [row["image_id"] for row in rows],
        "path": [row["path"] for row in rows],
        "width": [int(row["width"]) if row["width"] else None for row in rows],
        "height": [int(row["height"]) if row["height"] else None for row in rows],
        "failure": [row["failure"] or None for row in rows],
        "categories": [[int(word) for word in row["categories"].split()] for row in rows],
        "probabilities": [[float(word) for word in row["probabilities"].split()] for row in rows],
        "novelty": [float(row["novelty"]) if row["novelty"] else None for row in rows],
        **csv_reading(rows),
    }
    if rows and "time_s" in rows[0]:
        columns["time_s"] = [float(row["time_s"]) if row["time_s"] else None for row in rows]
    return _table(columns, _story_beside(path), None)


def _read_jsonl(path: Path) -> PredictionTable:
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    names = ("image_id", "path", "width", "height", "failure", "categories", "probabilities")
    times = ("time_s",) if rows and "time_s" in rows[0] else ()
    columns = {name: [row[name] for row in rows] for name in (*names, "novelty", *times)}
    columns |= {name: [row.get(name) for row in rows] for name in NOTHING_READ}
    return _table(columns, _story_beside(path), _vector_of_rows(rows))


def _vector_of_rows(rows: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float32] | None:
    widths = {len(row["vector"]) for row in rows if row.get("vector") is not None}
    if len(widths) != 1:
        return None
    missing = [np.nan] * widths.pop()
    return np.array([row.get("vector") or missing for row in rows], dtype=np.float32)


def _story_beside(path: Path) -> dict[str, Any]:
    beside = provenance_path(path)
    if not beside.is_file():
        return {}
    story: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
    return story


def _table(
    columns: Mapping[str, list[Any]],
    story: dict[str, Any],
    vector: npt.NDArray[np.float32] | None,
) -> PredictionTable:
    novelty = [np.nan if value is None else value for value in columns["novelty"]]
    known = tuple(int(entry["category_id"]) for entry in story.get("categories", ()))
    return PredictionTable(
        image_ids=tuple(columns["image_id"]),
        paths=tuple(columns["path"]),
        widths=tuple(columns["width"]),
        heights=tuple(columns["height"]),
        failures=tuple(columns["failure"]),
        ranked_ids=tuple(tuple(ids or ()) for ids in columns["categories"]),
        ranked_probabilities=tuple(tuple(values or ()) for values in columns["probabilities"]),
        novelty=np.asarray(novelty, dtype=np.float64),
        vector=vector,
        category_ids=known,
        metadata=story,
        times_s=tuple(columns.get("time_s", ())),
        reading=reading_columns(columns, story),
    )
