"""The text of a `categories` cell: "[1.0, 9.0]", "1 9", or names with ";" between them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from finding_nemo.core.errors import AnnotationError

_NUMBERS = re.compile(r"^\s*[\[(]?[\s\d.,+-]*[\])]?\s*$")
_SEPARATORS = re.compile(r"[\s,]+")


def whole_number(value: object) -> int:
    """Return a category id that a file wrote as `9`, `9.0` or `"9.0"`.

    Raises:
        AnnotationError: If it is no whole number.
    """
    try:
        number = float(value)  # type: ignore[arg-type] # what float refuses is caught below
    except (TypeError, ValueError):
        raise AnnotationError(f"{value!r} is not a number") from None
    if not number.is_integer():
        raise AnnotationError(f"{value!r} is not a whole number")
    return int(number)


def parse_category_ids(text: str) -> list[int]:
    """Return the ids of a cell in the order written, repeats kept; an empty cell gives none.

    Raises:
        AnnotationError: If the cell holds anything but numbers.
    """
    if not _NUMBERS.match(text):
        raise AnnotationError(f"{text!r} is not a list of category ids such as [1.0, 9.0]")
    words = _SEPARATORS.split(text.strip().strip("[]()").strip())
    return [whole_number(word) for word in words if word]


def is_id_list(text: str) -> bool:
    """Return whether a cell looks like numbers; an empty cell does."""
    return _NUMBERS.match(text) is not None


def parse_category_names(text: str) -> list[str]:
    """Return the names of a cell that has ";" or "|" between them."""
    return [name.strip() for name in re.split(r"[;|]", text) if name.strip()]


def known_ids(ids: list[int], columns: Mapping[int, int]) -> tuple[int, ...]:
    """Return the distinct ids in ascending order.

    Raises:
        AnnotationError: If one of them is not a key of `columns`.
    """
    unknown = sorted({category_id for category_id in ids if category_id not in columns})
    if unknown:
        raise AnnotationError(
            f"category id {unknown[0]} is not in the category table, which holds {len(columns)} "
            f"ids from {min(columns)} to {max(columns)}"
        )
    return tuple(sorted(set(ids)))
