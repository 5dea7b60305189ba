"""The names of a table as the choices of an option."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any


def choice_type(name: str, names: Iterable[str]) -> type[StrEnum]:
    """Return the type of an option that takes one of `names`; a value of it is a text.

    Where types are checked an option's type must be written out, so each option says `str` there.
    """
    make: Any = StrEnum  # types are checked only of enumerations that are written out
    found: type[StrEnum] = make(name, {each: each for each in names})
    return found
