"""What one cell of a table says: a number, nothing, or a text that must not become a formula."""

from __future__ import annotations

import re

INT32_MAX = 2**31 - 1
# What databases, spreadsheets and pandas write where they have nothing.
_NOTHING = frozenset(
    {"", "nan", "none", "null", "nil", "na", "n/a", "#n/a", "<na>", "nat", "-", "--"}
)
# One way to match at every place, so the time is linear in the length.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MAX_NUMBER_CHARACTERS = 64
_BEGINS_A_FORMULA = frozenset("=+-@")


def is_nothing(text: str) -> bool:
    """Return whether a cell is empty or holds a word for nothing: nan, None, null, NA, n/a, -."""
    return text.strip().casefold() in _NOTHING


def quoted(value: object, limit: int = 60) -> str:
    """Return `value` in quotes for a message, cut to `limit` characters."""
    if isinstance(value, int) and abs(value) >= 10**limit:
        return f"a number of more than {limit} digits"
    shown = repr(value[: limit + 1] if isinstance(value, str) else value)
    return shown if len(shown) <= limit + 2 else f"{shown[:limit]}..."


def is_number(text: str) -> bool:
    """Return whether a cell is one number, as people write it."""
    return len(text) <= _MAX_NUMBER_CHARACTERS and _NUMBER.fullmatch(text) is not None


def number_in(text: str, *, decimal_comma: bool = False) -> float:
    """Return the number that a cell holds; "1_000", "inf" and "nan" are none.

    Args:
        text: The cell.
        decimal_comma: Whether "0,5" is a half, as where cells are separated by ";".

    Raises:
        ValueError: If it is no number.
    """
    text = text.strip()
    if decimal_comma and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not is_number(text):
        raise ValueError(f"{quoted(text)} is not a number")
    return float(text)


def whole_number_in(text: str, *, decimal_comma: bool = False) -> int:
    """Return the whole number that a cell holds, "36.0" too.

    Raises:
        ValueError: If it is no number, not whole, or does not fit 32 bits.
    """
    number = number_in(text, decimal_comma=decimal_comma)
    if not number.is_integer():
        raise ValueError(f"{quoted(text)} is not a whole number")
    if abs(number) > INT32_MAX:
        raise ValueError(f"{quoted(text)} is above {INT32_MAX} (32 bits)")
    return int(number)


def defused(text: str) -> str:
    """Return a cell's text so that a spreadsheet does not take it for a formula.

    Text that begins with = + - @ gets an apostrophe before it, as spreadsheets themselves write
    it; so does text that begins or ends with a blank, which a reader would drop.

    Source:
        OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return f"'{text}" if _needs_apostrophe(text) else text


def undefused(text: str) -> str:
    """Return the text that `defused` was given; other apostrophes ('t Zand) stay."""
    return text[1:] if text[:1] == "'" and _needs_apostrophe(text[1:]) else text


def _needs_apostrophe(text: str) -> bool:
    # Apostrophes that are there already do not count, so that each is added and taken away once.
    first = text.lstrip("'")[:1]
    return first in _BEGINS_A_FORMULA or first.isspace() or text[-1:].isspace()
