"""A name's place in the tree, in words: by hand."""

from __future__ import annotations

import pytest

from finding_nemo.marine.name_words import name_with_rank, place_in_words, rank_in_words
from finding_nemo.marine.resolve_names import resolve_name


@pytest.mark.parametrize(
    ("name", "rank", "place"),
    [
        ("Munida", "genus", "genus, family Munididae, AphiaID 106835"),
        ("Buccinidae", "family", "family, AphiaID 149"),
        ("Aeolidiidae sp. 1", "", "in the family Aeolidiidae"),
        ("yellow ruffled sponge", "", "in the class Hexactinellida"),
        ("Chionoecetes taneri", "species",
         "species, read as Chionoecetes tanneri, family Majidae, AphiaID 442165"),
        ("Pandalus ampla", "", ""),
        ("crab", "", ""),
    ],
)  # fmt: skip
def test_words__by_hand(name: str, rank: str, place: str) -> None:
    record = resolve_name(name)
    assert (rank_in_words(record), place_in_words(record)) == (rank, place)


def test_words__of_nothing_are_empty() -> None:
    assert (rank_in_words(None), place_in_words(None)) == ("", "")


@pytest.mark.parametrize(
    ("name", "rank", "shown"),
    [
        ("Macrouridae", "family", "Family: Macrouridae"),
        ("Munida", "genus", "Genus: Munida"),
        ("Sebastes diploproa", "species", "Sebastes diploproa"),
        ("crab", "", "crab"),
    ],
)
def test_a_name__has_its_rank_before_it_unless_it_says_it_itself(
    name: str, rank: str, shown: str
) -> None:
    assert name_with_rank(name, rank) == shown
