"""Tables for programs: each cell is exactly what it says, so no apostrophe guards it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.exporting.export_frame import plain_text


class ExactTable:
    """Rows of named columns; a column that a row does not name is empty there."""

    def __init__(self, path: Path, columns: Sequence[str], *, stack: ExitStack, tabs: bool) -> None:
        """Open `path`, which gets its name when `stack` ends well.

        Args:
            path: The file.
            columns: Their names, which make the first line.
            stack: What the file is closed by.
            tabs: Whether cells stand between tabs and nothing is quoted, so that a row is a line;
                else commas and quotes.
        """
        partial = stack.enter_context(atomic_write(path))
        file = stack.enter_context(partial.open("w", encoding="utf-8", newline=""))
        self._columns, self._tabs = tuple(columns), tabs
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self.n_rows = 0
        self._write(columns)

    def add(self, values: Mapping[str, object]) -> None:
        """Write a row.

        Raises:
            KeyError: If it names a column that the table does not have.
        """
        for name in values.keys() - set(self._columns):
            raise KeyError(name)
        self._write([_text(values.get(name)) for name in self._columns])
        self.n_rows += 1

    def _write(self, cells: Sequence[str]) -> None:
        # One line a row in both: readers of archives part lines first and cells after.
        plain = [plain_text(cell) for cell in cells]
        if self._tabs:
            self._file.write("\t".join(plain) + "\n")
        else:
            self._writer.writerow(plain)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def number_text(value: float) -> str:
    """Return a number without an exponent, to nine digits behind the point, without last zeros."""
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@contextmanager
def exact_tables(
    folder: Path, columns: Mapping[str, Sequence[str]], *, tabs: bool
) -> Iterator[dict[str, ExactTable]]:
    """Yield a table for each file name; all get their names when the block ends well."""
    with ExitStack() as stack:
        yield {
            name: ExactTable(folder / name, names, stack=stack, tabs=tabs)
            for name, names in columns.items()
        }
