"""Text of files that a terminal and a page can show as it is."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from finding_nemo.core.text.printable import printable

_UNPRINTABLE = ("Cc", "Cs")


def plain_text(text: str) -> str:
    """Return `text` if it holds no control character and no lone surrogate.

    Raises:
        ValueError: If it does: it would command the terminal that shows it.
    """
    if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise ValueError(f"{printable(text[:80])!r} holds control characters")
    return text


PlainText = Annotated[str, AfterValidator(plain_text)]
