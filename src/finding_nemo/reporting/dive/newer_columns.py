"""The columns of a predictions file that files of before do not have, where it has them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.files.text_files import read_lines
from finding_nemo.results.file_metadata import BROKEN_PARQUET, open_parquet, unreadable

_MAPS = "maps"
_NAMES = (
    *(
        "answer",
        "answer_level",
        "answer_probability",
        "confidence",
        "why",
        "dive",
        "captured",
        "look_first",
    ),
    *("names", "method", "depth_m", _MAPS),
)
# As the readers of data sets have it: nobody filmed before, and 9999 stands for "unknown".
_FIRST_YEAR, _LAST_YEAR = 1800, 2199


@dataclass(frozen=True, slots=True)
class NewerColumns:
    """What a file has of them, each with one value a row; `maps` as bytes.

    A value of another type than the column's counts as none.
    """

    columns: Mapping[str, Sequence[Any]]

    def has(self, name: str) -> bool:
        """Return whether the file has the column and says something in it."""
        return any(value is not None for value in self.columns.get(name, ()))

    def text(self, name: str, row: int) -> str:
        """Return a text, "" where there is none."""
        value = self._value(name, row)
        return value if isinstance(value, str) else ""

    def moment(self, row: int) -> datetime | None:
        """Return when a frame was filmed, in UTC without a zone."""
        value = self._value("captured", row)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        if not isinstance(value, datetime) or not _FIRST_YEAR <= value.year <= _LAST_YEAR:
            return None
        return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)

    def share(self, name: str, row: int) -> float:
        """Return a number in [0, 1], NaN where there is none."""
        value = self._value(name, row)
        return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else math.nan

    def depth(self, row: int) -> float | None:
        """Return metres below the surface."""
        value = self._value("depth_m", row)
        is_number = isinstance(value, int | float) and math.isfinite(value)
        return float(value) if is_number else None  # type: ignore[arg-type]

    def rank(self, row: int) -> int:
        """Return the rank of a frame to look at first, 0 for no rank."""
        value = self._value("look_first", row)
        return value if isinstance(value, int) and value > 0 else 0

    def names(self, row: int) -> Sequence[str]:
        """Return the names of a row's guesses, as many as there are."""
        value = self._value("names", row)
        return [str(name) for name in value] if isinstance(value, list) else ()

    def maps(self, row: int) -> bytes | None:
        """Return where the network looks, a byte a patch."""
        value = self._value(_MAPS, row)
        return value if isinstance(value, bytes) else None

    def _value(self, name: str, row: int) -> object:
        return self.columns[name][row] if name in self.columns else None


def read_newer_columns(path: Path) -> NewerColumns:
    """Read them of a file that was read as predictions before.

    Raises:
        PredictionsError: If they are damaged.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return NewerColumns({})
    return _of_parquet(path) if suffix in (".parquet", ".pq") else _of_lines(path)


def _of_parquet(path: Path) -> NewerColumns:
    file = open_parquet(path, verify=False)
    found = [name for name in _NAMES if name in file.schema_arrow.names]
    try:
        table = file.read(columns=found)
        return NewerColumns({name: _values(table.column(name), name) for name in found})
    except BROKEN_PARQUET as error:
        raise unreadable(path, error) from None


def _values(column: pa.ChunkedArray, name: str) -> Sequence[Any]:
    if name != _MAPS:
        if pa.types.is_timestamp(column.type):  # Python knows no nanoseconds
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        values: list[Any] = column.to_pylist()
        return values
    return [value for chunk in column.chunks for value in _byte_rows(chunk)]


def _byte_rows(chunk: pa.Array) -> Sequence[bytes | None]:
    """Return each list of numbers as bytes, without a Python object for each number."""
    if not pa.types.is_list(chunk.type) or chunk.type.value_type != pa.uint8():
        return [None] * len(chunk)
    content = chunk.values.to_numpy(zero_copy_only=False).tobytes()
    offsets, is_there = chunk.offsets.to_pylist(), chunk.is_valid().to_pylist()
    return [
        content[start:end] if there else None
        for start, end, there in zip(offsets[:-1], offsets[1:], is_there, strict=True)
    ]


def _of_lines(path: Path) -> NewerColumns:
    # The reader of predictions has taken every line for an object already.
    rows = [json.loads(line) for line in read_lines(path, refusal=PredictionsError) if line.strip()]
    found = [name for name in _NAMES if any(name in row for row in rows)]
    return NewerColumns(
        {
            name: [_bytes_of(row.get(name)) if name == _MAPS else row.get(name) for row in rows]
            for name in found
        }
    )


def _bytes_of(value: object) -> bytes | None:
    try:
        return bytes(value) if isinstance(value, list) else None
    except (TypeError, ValueError):
        return None
