"""A choice that the program made by itself, with the reason that it prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """An automatic choice.

    Attributes:
        value: What was chosen.
        reason: Why, in words that are printed.
        shown: The value as it is printed, where that is not its text.
    """

    value: T
    reason: str
    shown: str = ""

    @property
    def in_words(self) -> str:
        """Return value and reason as they are printed."""
        return f"{self.shown or self.value}: {self.reason}"
