"""Registries: one table for each kind of thing that is chosen by its name.

Splits, data-set formats, prediction formats, runtimes, novelty scores and losses each stand in one
table. The command line makes its choices and its help from them, so a table loads no library: a
row names its function as "module:function", and `load` imports that when it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

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


def registry(*entries: E) -> Mapping[str, E]:
    """Return the table of `entries` by name, in their order.

    Raises:
        ValueError: If a name stands twice.
    """
    table = {entry.name: entry for entry in entries}
    if len(table) < len(entries):
        raise ValueError(f"a name stands twice in {[entry.name for entry in entries]}")
    return MappingProxyType(table)


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


def load(target: str) -> Any:  # noqa: ANN401 - each table states what its functions take
    """Import what "module:function" names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
