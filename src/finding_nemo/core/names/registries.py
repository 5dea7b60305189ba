"""Registries: one table for each kind of thing that is chosen by its name.

Splits, data-set formats, prediction formats, runtimes, novelty scores and losses each stand in one
table. The command line makes its choices and its help from them, so a table loads no library: a
row names its function as "module:function", and `load` imports that when it is used. What people
add in their own programs stands in the same table, with the function itself.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

from finding_nemo.core.errors import SettingsError


class Entry(Protocol):
    """A row of a table.

    Attributes:
        name: As a person types it.
        about: One line for people.
    """

    @property
    def name(self) -> str:
        """As a person types it."""
        ...

    @property
    def about(self) -> str:
        """One line for people."""
        ...


E = TypeVar("E", bound=Entry)


# As `--set` reads words: these would be no text.
_NO_NAMES = ("true", "false", "null")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*")
_LONGEST_NAME = 60


class Registry(Mapping[str, E], Generic[E]):
    """A table by name, in order; `add` is the only way to change it."""

    def __init__(self, entries: Iterable[E]) -> None:
        """Hold `entries`, which nobody can replace."""
        self._entries = {entry.name: entry for entry in entries}
        self._added: set[str] = set()

    def __getitem__(self, name: str) -> E:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def added(self) -> tuple[str, ...]:
        """The names that were added later, in order."""
        return tuple(name for name in self._entries if name in self._added)

    def add(self, entry: E, *, kind: str, overwrite: bool = False) -> None:
        """Add a row under its name.

        Args:
            entry: The row.
            kind: What it is a table of, for messages.
            overwrite: Whether a row that was added earlier may be replaced.

        Raises:
            SettingsError: If the name is unusable, or is there already.
        """
        name = entry.name
        self.check_new(name, kind=kind, overwrite=overwrite)
        self._entries[name] = entry
        self._added.add(name)

    def check_new(self, name: object, *, kind: str, overwrite: bool) -> None:
        """Check that a row of that name could be added.

        Raises:
            SettingsError: If the name is unusable, or is there already.
        """
        usable = isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)
        if not usable or name in _NO_NAMES:
            raise SettingsError(
                f"{str(name)[:80]!r} cannot be the name of a registered {kind}: take small letters "
                f'and digits, a letter first, with single "-", "_" or "." between them, '
                f'{_LONGEST_NAME} at most, such as "my-{kind}".'
            )
        if name in self._entries and not (overwrite and name in self._added):
            how = (
                "give overwrite=True to replace it"
                if name in self._added
                else "it comes with the package and cannot be replaced; choose another name"
            )
            raise SettingsError(f"The {kind} {name!r} is there already: {how}.")


def registry(*entries: E) -> Registry[E]:
    """Return the table of `entries` by name, in their order.

    Raises:
        ValueError: If a name stands twice.
    """
    table = Registry(entries)
    if len(table) < len(entries):
        raise ValueError(f"a name stands twice in {[entry.name for entry in entries]}")
    return table


def find_entry(table: Mapping[str, E], name: str, *, kind: str) -> E:
    """Return the row `name` of a table.

    Args:
        table: The table.
        name: As typed.
        kind: What it is a table of, for the message.

    Raises:
        SettingsError: If there is none, with the names that there are.
    """
    if name not in table:
        raise SettingsError(f"Unknown {kind} {name!r}; known: {', '.join(table)}.")
    return table[name]


def describe(entries: Iterable[Entry]) -> str:
    """Return rows in words, as help shows them: "name: about; name: about"."""
    return "; ".join(f"{entry.name}: {entry.about}" for entry in entries)


def load(target: str | Callable[..., Any]) -> Any:  # noqa: ANN401 - each table states what it takes
    """Import what "module:function" names; a function itself is returned as it is."""
    if not isinstance(target, str):
        return target
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def has_parameter(function: Callable[..., Any], name: str) -> bool:
    """Return whether a function takes `name`; of one that nobody can look into, it does not."""
    called = getattr(function, "forward", function)  # of a torch module
    try:
        return name in inspect.signature(called).parameters
    except (TypeError, ValueError):
        return False
