"""Counts with their nouns, and that a person reads of one dive, not of 1 dives."""

from __future__ import annotations

from finding_nemo.adaptation.shrunk_settings import too_few
from finding_nemo.core.text.plurals import in_number


def test_in_number__is_singular_for_one_alone() -> None:
    words = [in_number(n, "dive") for n in (0, 1, 2, 12_000)]
    assert words == ["0 dives", "1 dive", "2 dives", "12,000 dives"]
    assert [in_number(n, "box", "boxes") for n in (1, 2)] == ["1 box", "2 boxes"]


def test_a_choice__tells_of_one_dive() -> None:
    assert "the validation part has 1 dive of at least 20 frames; " in too_few(1).in_words
