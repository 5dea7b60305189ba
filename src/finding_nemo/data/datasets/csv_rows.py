"""The tables of a data set: any that `core.table_files` reads, with the data set's errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.core.files.table_files import Table, TableRow, read_table


def read_csv_table(path: Path, *, required: Sequence[str]) -> Table:
    """Return a table that has a header with the `required` columns.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If a column is missing, a row has more or fewer fields than the
            header, or it cannot be read as text; with the line.
    """
    if not os.path.exists(path):
        raise DatasetNotFoundError(f"The file {path} does not exist.")
    return read_table(path, required=required, refusal=AnnotationError)


def read_csv_rows(path: Path, *, required: Sequence[str]) -> Iterator[TableRow]:
    """Yield the rows of a table as `read_csv_table` reads it."""
    yield from read_csv_table(path, required=required).rows
