"""What a notebook shows of an object: a few facts, never its whole content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape

from finding_nemo.core.text.printable import printable

_LONGEST_FACT = 120


class ShortRepr(ABC):
    """An object that shows itself by a few facts, as text and as a small table."""

    __slots__ = ()

    @abstractmethod
    def facts(self) -> Mapping[str, object]:
        """Return what a person wants to know of it at a glance, by name."""

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={_shown(value)}" for name, value in self.facts().items())
        return f"{type(self).__name__}({facts})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name.replace('_', ' '))}</th>"
            f"<td style='text-align:left'>{escape(_shown(value))}</td></tr>"
            for name, value in self.facts().items()
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"


def _shown(value: object) -> str:
    text = printable(f"{value:,}" if isinstance(value, int) else str(value))
    return text if len(text) <= _LONGEST_FACT else text[: _LONGEST_FACT - 3] + "..."
