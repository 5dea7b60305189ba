"""An interval in words, also where there is none."""

from __future__ import annotations

from typing import Literal

# Drawing dives anew shows nothing where there is one dive, or where all give the same number.
TOO_FEW_DIVES = "too few dives for an interval"
_MOST_DIGITS = 3


def interval_in_words(
    low: float, high: float, form: Literal[".3f", "+.3f", ".0%", ".1%"] = ".3f"
) -> str:
    """Return both ends of an interval by dive, or that there is none.

    Shares get as many digits more as it takes to tell the ends apart, up to three: 99.8 % and 100 %
    are not "100% to 100%".

    Args:
        low: Lower end.
        high: Upper end; not above `low`, or no number, where no interval can be told.
        form: How each end is written.

    Example:
        >>> interval_in_words(0.25, 0.5)
        '0.250 to 0.500'
        >>> interval_in_words(0.998, 1.0, ".0%")
        '99.8% to 100.0%'
        >>> interval_in_words(1.0, 1.0, ".0%")
        'too few dives for an interval'
    """
    if not low < high:
        return TOO_FEW_DIVES
    ends = (f"{low:{form}}", f"{high:{form}}")
    if form.endswith("%") and ends[0] == ends[1]:
        forms = (f".{digits}%" for digits in range(int(form[1]) + 1, _MOST_DIGITS + 1))
        finer = ((f"{low:{more}}", f"{high:{more}}") for more in forms)
        ends = next((pair for pair in finer if pair[0] != pair[1]), ends)
    return f"{ends[0]} to {ends[1]}"
