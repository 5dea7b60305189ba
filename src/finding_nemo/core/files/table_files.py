"""The one reader of tables: CSV with "," ";" or tabs, with the line of every fault.

What Excel and pandas add is understood: byte-order marks, a first line `sep=;`, lines of nothing
but separators, a first column without a name (pandas' row numbers).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.core.files.text_files import Refusal, read_lines
from finding_nemo.core.text.cells import defused, quoted

_DELIMITERS = (",", ";", "\t")
_CELL_ENDS = re.compile(f"[{''.join(_DELIMITERS)}]")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table.

    Attributes:
        line: The line of the file where it begins, from 1.
        values: From column name to text, as it stands in the cell.
    """

    line: int
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose header is read and whose rows are read as they are asked for.

    Attributes:
        names: Of the columns, in lower case unless two would be alike.
        delimiter: What stands between cells.
        rows: The rows, once.
    """

    names: tuple[str, ...]
    delimiter: str
    rows: Iterator[TableRow]

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers may be written with a comma, since it does not separate cells."""
        return self.delimiter != ","


def read_table(
    path: Path,
    *,
    required: Sequence[str],
    refusal: Refusal,
    on_fault: OnFault = stop_at_fault,
) -> Table:
    """Read the header of a table, and its rows as they are asked for.

    The separator is the one with which the header holds every column of `required`. Names are
    compared without surrounding blanks and without regard to case. Lines of nothing but blanks
    and separators are passed over.

    Args:
        path: The file.
        required: Columns that must be there.
        refusal: The class of error to raise.
        on_fault: Takes a fault of a row, as `refusal`; a row with a fault is passed over.

    Raises:
        FindingNemoError: As `refusal`, with the line: if the file cannot be read as text, a column
            is missing or there twice, a row has more or fewer cells than the header, or a quote
            is not closed.
    """
    lines = _Counted(read_lines(path, refusal=refusal))
    header = next(filter(_says_something, lines), "")
    delimiter = _told_delimiter(header)
    if delimiter:
        header = next(filter(_says_something, lines), "")
    where = f"line {max(lines.n, 1)}"
    delimiter = delimiter or _delimiter_of(header, required)
    names = _names_of(header, delimiter)
    lacking = [name for name in required if name not in names]
    if lacking:
        shown = ", ".join(names)[:300] or "nothing"
        raise refusal(
            f"{path}, {where}: column {', '.join(lacking)} is missing; the header has {shown}."
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise refusal(f"{path}, {where}: column {twice[0]} is there twice; name each column once.")
    faulty = _FaultyRows(path, refusal, on_fault)
    return Table(names, delimiter, _rows(lines, names, delimiter, faulty))


@dataclass(frozen=True, slots=True)
class _FaultyRows:
    """Where faults of rows go."""

    path: Path
    refusal: Refusal
    on_fault: OnFault

    def add(self, line: int, words: str) -> None:
        self.on_fault(self.refusal(f"{self.path}, line {line}: {words}"))


def columns_in(head: str) -> tuple[str, ...]:
    """Return the columns that a table's first part names, in small letters, whatever parts them.

    To see what kind of table it is; `read_table` is what reads one.
    """
    lines = (line for line in head.splitlines() if _says_something(line))
    header = next(lines, "")
    if _told_delimiter(header):
        header = next(lines, "")
    cells = _CELL_ENDS.split(header)
    return tuple(cell.strip().strip('"').strip().lower() for cell in cells)


def _says_something(line: str) -> bool:
    return bool(line.strip("\r\n\t ;,"))


class _Counted:
    """Lines, and how many were taken."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.n = 0
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.n += 1
        return line


def _told_delimiter(line: str) -> str:
    """Return what Excel's first line `sep=;` says, or ""."""
    text = line.strip("\r\n").strip('"')
    return text[4:5] if text[:4].lower() == "sep=" else ""


def _delimiter_of(header: str, required: Sequence[str]) -> str:
    split = {delimiter: _names_of(header, delimiter) for delimiter in _DELIMITERS}
    for delimiter, names in split.items():
        if all(name in names for name in required):
            return delimiter
    return max(split, key=lambda delimiter: len(split[delimiter]))


def _names_of(header: str, delimiter: str) -> tuple[str, ...]:
    try:
        reader = csv.reader([header], delimiter=delimiter, skipinitialspace=True)
        names = tuple(name.strip() for name in next(reader, []))
    except csv.Error:
        return ()
    lower = tuple(name.lower() for name in names)
    return lower if len(set(lower)) == len(set(names)) else names


def _rows(
    lines: _Counted, names: tuple[str, ...], delimiter: str, faulty: _FaultyRows
) -> Iterator[TableRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    nameless = [position for position, name in enumerate(names) if not name and position]
    while True:
        line = lines.n + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faulty.add(line, f"not CSV ({error}).")
            return
        if not any(field and not field.isspace() for field in fields):
            continue
        if len(fields) != len(names):
            faulty.add(
                line,
                f"{len(fields)} fields where the header has {len(names)}. "
                f"A cell that holds {quoted(delimiter)} needs double quotes around it.",
            )
            continue
        for position in nameless:
            if fields[position].strip():
                faulty.add(
                    line,
                    f"{quoted(fields[position])} stands in column {position + 1}, "
                    "which has no name in the header.",
                )
        yield TableRow(line, dict(zip(names, fields, strict=True)))


class TableWriter:
    """Writes a table that `read_table` reads back, and that no spreadsheet runs.

    Text that a spreadsheet would take for a formula gets an apostrophe before it (`cells.defused`);
    a reader of text cells takes it away with `cells.undefused`. Numbers stay as they are.
    """

    def __init__(self, file: TextIO) -> None:
        """Write to `file`, which must not translate newlines."""
        self._rows = RowWriter(file)

    def write(self, cells: Iterable[object]) -> None:
        """Write one row; `None` is an empty cell, a list is its entries with blanks between."""
        self._rows.write([_safe(cell) for cell in cells])


class RowWriter:
    """Writes rows of CSV whose cells stand exactly as they are, for programs."""

    def __init__(self, file: TextIO) -> None:
        """Write to `file`, which must not translate newlines."""
        self._plain = csv.writer(file, lineterminator="\n")
        self._all_quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(self, cells: Sequence[object]) -> None:
        """Write one row; `None` is an empty cell."""
        # Python's writer puts no quotes around a lone "\r", at which a reader ends the line.
        has_return = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (self._all_quoted if has_return else self._plain).writerow(cells)


def _safe(cell: object) -> object:
    if isinstance(cell, list):  # of numbers: "-0.5 1" is no formula
        return " ".join(map(str, cell))
    return defused(cell) if isinstance(cell, str) else cell
