"""Intervals in words: two ends that differ, or that there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.text.intervals import TOO_FEW_DIVES, interval_in_words


@pytest.mark.parametrize(
    ("low", "high", "form", "words"),
    [
        (0.25, 0.5, ".3f", "0.250 to 0.500"),
        (-0.1, 0.2, "+.3f", "-0.100 to +0.200"),
        (0.0, 1.0, ".0%", "0% to 100%"),
        (0.998, 1.0, ".0%", "99.8% to 100.0%"),
        (0.9996, 1.0, ".1%", "99.96% to 100.00%"),
        (0.5, 0.5, ".3f", TOO_FEW_DIVES),
        (1.0, 1.0, ".0%", TOO_FEW_DIVES),
        (math.nan, math.nan, ".1%", TOO_FEW_DIVES),
        (math.nan, 1.0, ".1%", TOO_FEW_DIVES),
    ],
)
def test_interval_in_words(low: float, high: float, form: str, words: str) -> None:
    assert interval_in_words(low, high, form) == words  # type: ignore[arg-type]


@given(st.floats(0, 1), st.floats(2e-5, 1))
def test_interval_of_shares__never_has_two_equal_ends(low: float, width: float) -> None:
    first, _, second = interval_in_words(low, low + width, ".0%").partition(" to ")
    assert first != second
