"""Plain tables and lines on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 160


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, title: str | None = None
) -> None:
    """Write a table; the first column is left-aligned, the others right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for row in rows:
        table.add_row(*row)
    _console().print(table)
    _console().print()


def print_line(text: str) -> None:
    """Write one line; brackets are text, not markup."""
    _console().print(text, markup=False, soft_wrap=True)


def _console() -> Console:
    # A file or pipe has no width; 80, the default there, would cut tables off.
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
