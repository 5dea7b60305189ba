"""How long work tells a person, in words, what it chose and what it is doing."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[str], None]


def tell_nobody(words: str) -> None:
    """Be a `Tell` where nobody listens."""
    del words
