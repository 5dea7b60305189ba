"""What a command prints on stdout, gathered into one JSON document for programs.

While a document is gathered, tables and lines go into it instead of onto the screen. It has the
same shape for every verb, which docs/command-line.md states.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

from finding_nemo.core.text.cells import is_number

# Thousands are parted by commas on the screen.
_MOST_DIGITS = 15


@dataclass(frozen=True)
class ResultDocument:
    """The results of one command.

    Attributes:
        verb: Of the command.
        values: Figures by name, exact.
        tables: As printed, each with its title, columns and rows.
        lines: As printed, in order.
    """

    verb: str
    values: dict[str, Any] = field(default_factory=dict)
    tables: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add_table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None
    ) -> None:
        """Add a table; a row is an object by column, or a list where columns have no names."""
        found: list[Any] = [[_cell(text) for text in row] for row in rows]
        if columns:
            found = [dict(zip(columns, row, strict=False)) for row in found]
        self.tables.append({"title": title, "columns": list(columns) or None, "rows": found})

    def text(self) -> str:
        """Return the document as JSON in ASCII."""
        return json.dumps(
            {
                "verb": self.verb,
                "values": self.values,
                "tables": self.tables,
                "lines": self.lines,
            },
            indent=2,
        )


_current: ContextVar[ResultDocument | None] = ContextVar("result_document", default=None)


def current_document() -> ResultDocument | None:
    """Return the document that is gathered, `None` where results go to the screen."""
    return _current.get()


def give_value(name: str, value: object) -> None:
    """Put exact figures into the document that is gathered, if one is."""
    found = _current.get()
    if found is not None:
        found.values[name] = as_json(value)


@contextmanager
def into_document(document: ResultDocument) -> Iterator[None]:
    """Gather results in `document` while the block lasts."""
    token = _current.set(document)
    try:
        yield
    finally:
        _current.reset(token)


def as_json(value: object) -> Any:  # noqa: ANN401 - JSON values are of any type
    """Return what JSON can hold of a value: fields of a dataclass, `None` for NaN, else words."""
    if isinstance(value, Enum):
        return as_json(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(entry) for key, entry in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [as_json(entry) for entry in value]
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "tolist"):  # of NumPy
        return as_json(value.tolist())
    return str(value) if not isinstance(value, PurePath) else value.as_posix()


def _cell(text: str) -> Any:  # noqa: ANN401 - JSON values are of any type
    """Return a printed cell as a number where it is one, `None` where it is empty."""
    digits = text.strip().replace(",", "")
    if not digits:
        return None
    if not is_number(digits) or len(digits) > _MOST_DIGITS:
        return text
    number = float(digits)
    return int(digits) if digits.lstrip("+-").isdigit() else number
