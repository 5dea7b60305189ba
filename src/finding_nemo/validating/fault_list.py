"""The faults of one file, gathered, and what is said of the file in the end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import FindingNemoError

MOST_SHOWN = 1000
_IN_A_ROW = re.compile(r"((?:line|row) \d+)(?:, column \d+)?(?:, (\w+))?: (.*)", re.DOTALL)
_OF_A_COLUMN = re.compile(r"(\w+) must ")


@dataclass(frozen=True, slots=True)
class FormatFault:
    """One thing that is wrong with a file.

    Attributes:
        where: "line 3", "row 3", or a file of a bundle; "" for the whole file.
        column: The column or key; "" where it is none in particular.
        words: What was got and what is wanted, and what to do where that is not plain.
    """

    where: str
    column: str
    words: str

    @property
    def sentence(self) -> str:
        """The fault in one line."""
        place = ", ".join(part for part in (self.where, self.column) if part)
        return f"{place}: {self.words}" if place else self.words


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What a check of a file found.

    Attributes:
        path: The file or folder.
        format_name: What it was taken for, a name of `FILE_FORMATS`; "" if nobody can say.
        reason: Why.
        n_rows: Rows that were read; `None` where the format has none.
        n_faults: How many faults there are.
        faults: The first of them, in the order in which they were found.
    """

    path: Path
    format_name: str
    reason: str
    n_rows: int | None
    n_faults: int
    faults: tuple[FormatFault, ...]

    @property
    def is_good(self) -> bool:
        """Whether there is no fault."""
        return not self.n_faults

    def to_json(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        return {
            "file": str(self.path),
            "format": self.format_name or None,
            "reason": self.reason,
            "good": self.is_good,
            "rows": self.n_rows,
            "n_faults": self.n_faults,
            "faults": [
                {"where": each.where or None, "column": each.column or None, "fault": each.words}
                for each in self.faults
            ],
        }


class FaultList:
    """Takes every fault of a file; keeps the first, counts the rest.

    A reader calls it with the error that it would have stopped with.
    """

    def __init__(self, path: Path, most: int = MOST_SHOWN) -> None:
        """Keep at most `most` faults of `path`."""
        self._path = path
        self._most = most
        self._of_the_whole: set[tuple[str, str]] = set()
        self.count = 0
        self.kept: list[FormatFault] = []

    def __call__(self, error: FindingNemoError) -> None:
        """Take the fault that an error tells."""
        words = str(error)
        for prefix in (f"{self._path}, ", f"{self._path}: "):
            words = words.removeprefix(prefix)
        found = _IN_A_ROW.fullmatch(words)
        where, column, words = found.groups(default="") if found else ("", "", words)
        named = _OF_A_COLUMN.match(words)
        self.add(where, column or (named[1] if named else ""), words)

    def add(self, where: str, column: str, words: str) -> None:
        """Take a fault; one of the whole file counts once."""
        if not where:
            if (column, words) in self._of_the_whole:
                return
            self._of_the_whole.add((column, words))
        self.count += 1
        if len(self.kept) < self._most:
            self.kept.append(FormatFault(where, column, words))

    def add_all(self, faults: Iterable[FindingNemoError]) -> None:
        """Take several."""
        for fault in faults:
            self(fault)
