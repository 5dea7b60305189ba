"""What a notebook shows of an object: a few facts, never its whole content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape

from finding_nemo.core.text.printable import printable

_LONGEST_FACT = 120
_LONGEST_NAME = 40
_MOST_FACTS = 12
# Of what a notebook keeps for each object that it shows.
_MOST_BYTES = 2000
_ELLIPSIS = "..."


class ShortRepr(ABC):
    """An object that shows itself by a few facts, as text and as a small table: under 2 kB each."""

    __slots__ = ()

    @abstractmethod
    def facts(self) -> Mapping[str, object]:
        """Return what a person wants to know of it at a glance, by name."""

    def __repr__(self) -> str:
        for longest in _lengths():
            facts = ", ".join(f"{name}={value}" for name, value in _shown(self.facts(), longest))
            text = f"{type(self).__name__}({facts})"
            if len(text.encode()) <= _MOST_BYTES:
                return text
        return f"{type(self).__name__}({_ELLIPSIS})"

    def _repr_html_(self) -> str:
        name = escape(type(self).__name__)
        for longest in _lengths():
            rows = "".join(
                f"<tr><th style='text-align:left'>{escape(fact.replace('_', ' '))}</th>"
                f"<td style='text-align:left'>{escape(value)}</td></tr>"
                for fact, value in _shown(self.facts(), longest)
            )
            text = f"<table><caption>{name}</caption>{rows}</table>"
            if len(text.encode()) <= _MOST_BYTES:
                return text
        return f"<table><caption>{name}</caption></table>"


def _lengths() -> tuple[int, ...]:
    """Return how long a fact may be, for text that markup or other scripts make longer."""
    return _LONGEST_FACT, _LONGEST_FACT // 2, _LONGEST_FACT // 4, _LONGEST_FACT // 12


def _shown(facts: Mapping[str, object], longest: int) -> list[tuple[str, str]]:
    chosen = list(facts.items())[:_MOST_FACTS]
    return [
        (_cut(name, min(longest, _LONGEST_NAME)), _cut(value, longest)) for name, value in chosen
    ]


def _cut(value: object, longest: int) -> str:
    text = printable(f"{value:,}" if isinstance(value, int) else str(value))
    return text if len(text) <= longest else text[: longest - len(_ELLIPSIS)] + _ELLIPSIS
