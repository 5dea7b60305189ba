"""CSV files row by row, with the line of every fault."""

from __future__ import annotations

import _csv
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a CSV file.

    Attributes:
        line: Its line number in the file, from 1 (the header's).
        values: From column name to text.
    """

    line: int
    values: dict[str, str]


def read_csv_rows(path: Path, *, required: Sequence[str]) -> Iterator[CsvRow]:
    """Yield the rows of a CSV file that has a header with the `required` columns.

    Column names are compared without surrounding blanks; a byte-order mark is dropped.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If a column is missing, a row has more or fewer fields than the
            header, or the text is not UTF-8 CSV; with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(path, csv.reader(file, strict=True, skipinitialspace=True), required)
    except FileNotFoundError:
        raise DatasetNotFoundError(f"The file {path} does not exist.") from None
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path} is not UTF-8 text: {error.reason}.") from None


def _rows(path: Path, reader: _csv.Reader, required: Sequence[str]) -> Iterator[CsvRow]:
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in required if name not in header]
        if missing:
            raise AnnotationError(
                f"{path}, line 1: column {', '.join(missing)} is missing; "
                f"the header has {', '.join(header) or 'nothing'}."
            )
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                raise AnnotationError(
                    f"{path}, line {reader.line_num}: {len(fields)} fields where the header "
                    f"has {len(header)}."
                )
            yield CsvRow(reader.line_num, dict(zip(header, fields, strict=True)))
    except csv.Error as error:
        raise AnnotationError(f"{path}, line {reader.line_num}: not CSV ({error}).") from None
