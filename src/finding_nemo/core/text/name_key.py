"""When two spellings of a name mean the same: what a person who types it anew does not see."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """Return what all spellings of a name share.

    Capitals, the number of blanks, and whether an accent is a character of its own (as some
    keyboards and systems write it) tell no names apart.

    Example:
        >>> name_key(" Sea  CUCUMBER ")
        'sea cucumber'
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())
