"""Text of files that a terminal and a page can show as it is."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from finding_nemo.core.text.printable import printable

_UNPRINTABLE = ("Cc", "Cs")


def holds_control_characters(text: str) -> bool:
    """Return whether a text holds what would command a terminal, or half a character."""
    return any(unicodedata.category(character) in _UNPRINTABLE for character in text)


def _without_control_characters(text: str) -> str:
    if holds_control_characters(text):
        raise ValueError(f"{printable(text[:80])!r} holds control characters")
    return text


PlainText = Annotated[str, AfterValidator(_without_control_characters)]
