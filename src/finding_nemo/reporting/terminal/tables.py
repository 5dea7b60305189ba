"""Plain tables and lines on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from finding_nemo.core.text.printable import printable
from finding_nemo.reporting.terminal.result_document import current_document

_PIPE_WIDTH = 160


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None
) -> None:
    """Write a table; the first column is left-aligned, the others right.

    Brackets, colons and control characters in cells are shown as they are.
    """
    document = current_document()
    if document is not None:
        document.add_table(header, rows, title)
        return
    table = Table(
        title=None if title is None else plain(title),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for number, name in enumerate(header):
        table.add_column(
            plain(name), justify="left" if number == 0 else "right", no_wrap=number > 0
        )
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    _console().print(table)
    _console().print()


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Write rows of words; the last column takes several lines where it must."""
    document = current_document()
    if document is not None:
        document.add_table((), rows)
        return
    below = 1 if len(rows[0]) > 2 else 0  # long rows need air between them
    table = Table(box=None, pad_edge=False, padding=(0, 2, below, 0), show_header=False)
    for number in range(len(rows[0])):
        table.add_column(no_wrap=number == 0, ratio=1 if number == len(rows[0]) - 1 else None)
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    _console().print(table)


def print_line(text: str) -> None:
    """Write one line; brackets, colons and control characters are shown as they are."""
    document = current_document()
    if document is not None:
        document.lines.append(text)
        return
    _console().print(plain(text), soft_wrap=True)


def plain(text: str) -> Text:
    """Return text for rich that is neither markup ("[b]") nor an emoji (":crab:") nor control."""
    return Text(printable(text))


def _console() -> Console:
    # A file or pipe has no width; 80, the default there, would cut tables off.
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
