"""A count with its noun, in words for people."""

from __future__ import annotations


def in_number(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun in singular or plural.

    Args:
        count: How many.
        noun: The noun of one.
        plural: The noun of several, where it is not that of one with an s.

    Example:
        >>> in_number(1, "dive"), in_number(2000, "category", "categories")
        ('1 dive', '2,000 categories')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
