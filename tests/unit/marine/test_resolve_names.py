"""Names as people write them, resolved or left open: by hand, and by slow versions."""

from __future__ import annotations

import csv
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.marine.name_record import HOW_IN_WORDS
from finding_nemo.marine.open_names import OpenName, parse_open_name, without_author
from finding_nemo.marine.resolve_names import resolve_name, resolve_names
from finding_nemo.marine.spelling import SpellingIndex, edit_distance
from finding_nemo.marine.taxonomy_table import key_of, shipped_table

_TABLE = shipped_table()


def test_shipped_table__is_one_tree_of_animals() -> None:
    assert set(_TABLE.taxa) == set(_TABLE.parents) == set(_TABLE.sources)
    assert [name for name, parent in _TABLE.parents.items() if not parent] == ["Animalia"]
    for name in _TABLE.taxa:
        lineage = _TABLE.lineage(name)
        assert (lineage[0].name, lineage[-1].name) == ("Animalia", name)
        assert len({taxon.name for taxon in lineage}) == len(lineage)
        assert all(taxon.rank for taxon in lineage)
    known = [taxon.aphia_id for taxon in _TABLE.taxa.values() if taxon.aphia_id]
    assert len(known) == len(set(known)) == 29


def test_shipped_table__other_names_lead_to_taxa() -> None:
    for key, other in _TABLE.others.items():
        assert resolve_name(key).is_resolved, other
    names = {name.casefold() for name in _TABLE.taxa}
    assert not names & set(_TABLE.others)


@pytest.mark.parametrize(
    ("name", "accepted", "rank", "how", "qualifier"),
    [
        ("Chionoecetes tanneri", "Chionoecetes tanneri", "species", "exact", ""),
        (" chionoecetes_TANNERI ", "Chionoecetes tanneri", "species", "exact", ""),
        ("Chionoecetes tanneri Rathbun, 1893", "Chionoecetes tanneri", "species", "exact", ""),
        ("Holothuria zacae", "Holothuria (Vaneyothuria) zacae", "species", "exact", ""),
        ("Halipteris californica", "Balticina californica", "species", "synonym", ""),
        ("Swiftia simplex", "Callistephanus simplex", "species", "synonym", ""),
        ("Aeolidiidae sp. 1", "Aeolidiidae", "family", "open name", "sp. 1"),
        ("Paralomis cf. papillata", "Paralomis", "genus", "open name", "cf. papillata"),
        ("Halipteris californica cf.", "Balticina californica", "species", "open name", "cf."),
        ("Oneirophanta mutabilis complex", "Oneirophanta", "genus", "open name",
         "mutabilis complex"),
        ("Funiculina-Halipteris complex", "Pennatuloidea", "superfamily", "open name",
         "Funiculina-Balticina complex"),
        ("Munida/Munidopsis", "Galatheoidea", "superfamily", "open name", "Munida/Munidopsis"),
        ("Neptunea-Buccinum Complex", "Buccinidae", "family", "open name",
         "Neptunea-Buccinum Complex"),
        ("yellow ruffled sponge", "Hexactinellida", "class", "informal name",
         "yellow ruffled sponge"),
        ("Chionoecetes taneri", "Chionoecetes tanneri", "species", "spelling", ""),
        ("Pandalus ampla", "Pandalus", "genus", "genus", "ampla"),
    ],
)  # fmt: skip
def test_resolve_name__by_hand(
    name: str, accepted: str, rank: str, how: str, qualifier: str
) -> None:
    found = resolve_name(name)
    assert (found.accepted, found.rank, found.how) == (accepted, rank, how)
    assert found.qualifier == qualifier
    assert found.name == name
    assert found.lineage[-1].name == accepted
    assert found.is_resolved is (how != "genus")


@pytest.mark.parametrize(
    "name", ["", " ", "crab", "fish", "trash_etc", "animal_fish", "sp. 1", "A-B complex", "Munidq",
             "Xyzus cf. papillata", "=1+1", "x" * 5000, "\x00", "\u202e", "-", "()"]
)  # fmt: skip
def test_resolve_name__leaves_open_what_it_does_not_know(name: str) -> None:
    found = resolve_name(name)
    assert (found.accepted, found.how, found.confidence) == ("", "unresolved", 0.0)
    assert (found.lsid, found.lineage, found.at_rank("genus")) == ("", (), "")


def test_record__gives_identifier_and_ranks() -> None:
    found = resolve_name("Chionoecetes tanneri")
    assert found.lsid == "urn:lsid:marinespecies.org:taxname:442165"
    ranks = [found.at_rank(rank) for rank in ("kingdom", "phylum", "order", "genus")]
    assert ranks == ["Animalia", "Arthropoda", "Decapoda", "Chionoecetes"]
    assert found.how in HOW_IN_WORDS


def test_competition__all_names_but_one_are_resolved(fathomnet_folder: Path) -> None:
    with (fathomnet_folder / "category_key.csv").open(encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    found = resolve_names(names)
    assert len(found) == 290
    assert [record.name for record in found if not record.is_resolved] == ["Pandalus ampla"]
    assert Counter(record.how for record in found) == {
        "exact": 278, "open name": 7, "synonym": 3, "informal name": 1, "genus": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lycodes sp.", OpenName(("Lycodes",), "sp.")),
        ("Lycodes spp", OpenName(("Lycodes",), "spp")),
        ("Actiniaria indet.", OpenName(("Actiniaria",), "indet.")),
        ("Paragorgia arborea var. pacifica", OpenName(("Paragorgia arborea",), "var. pacifica")),
        ("Farrea complex", OpenName(("Farrea",), "complex")),
        ("Munida / Munidopsis", OpenName(("Munida", "Munidopsis"), "Munida / Munidopsis")),
        ("Lycodes pacificus", None),
        ("cf. Lycodes", None),
        ("", None),
    ],
)
def test_parse_open_name__by_hand(name: str, expected: OpenName | None) -> None:
    assert parse_open_name(name) == expected


def test_without_author__takes_only_what_ends_with_a_year() -> None:
    assert without_author("Psolus squamatus (O.F. Müller, 1776)") == "Psolus squamatus"
    assert without_author("Mediaster aequalis Stimpson, 1857") == "Mediaster aequalis"
    assert without_author("Neptunea-Buccinum Complex") == "Neptunea-Buccinum Complex"
    assert without_author("Yellow Ruffled sponge") == "Yellow Ruffled sponge"


@cache
def _slow_distance(first: str, second: str) -> int:
    """Return the distance by its definition, with recursion."""
    if not first or not second:
        return len(first) + len(second)
    best = min(
        _slow_distance(first[:-1], second) + 1,
        _slow_distance(first, second[:-1]) + 1,
        _slow_distance(first[:-1], second[:-1]) + (first[-1] != second[-1]),
    )
    if len(first) > 1 and len(second) > 1 and first[-2:] == second[-2:][::-1]:
        best = min(best, _slow_distance(first[:-2], second[:-2]) + 1)
    return best


def test_edit_distance__by_hand() -> None:
    assert edit_distance("munida", "munida") == 0
    assert edit_distance("munida", "mundia") == 1  # two letters swapped
    assert edit_distance("munida", "") == 6
    assert edit_distance("tanneri", "taneris") == 2


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
@settings(max_examples=60, deadline=None)
def test_edit_distance__equals_its_definition(first: str, second: str) -> None:
    assert edit_distance(first, second) == _slow_distance(first, second)


def test_spelling_index__finds_what_comparing_with_all_names_finds() -> None:
    draws = random.Random(0)  # noqa: S311 - draws of a test
    keys = sorted(_TABLE.by_key)
    index = SpellingIndex(_TABLE.by_key)
    for _ in range(12):
        letters = list(draws.choice(keys))
        for _ in range(draws.choice((1, 2))):
            letters[draws.randrange(len(letters))] = draws.choice("aeiouxyz é")
        word = "".join(letters)
        allowed = 0 if len(word) < 7 else 1 if len(word) < 11 else 2
        slow = sorted((edit_distance(word, key), _TABLE.by_key[key]) for key in keys)
        assert list(index.near(word)) == [name for n, name in slow if allowed and n <= allowed]


def test_misspelling__is_read_of_species_alone() -> None:
    # A sea slug and a glass sponge that one letter parts: "Bathydoriss" may be either.
    found = resolve_name("Bathydoriss")
    assert (found.accepted, found.candidates) == ("", ("Bathydoris", "Bathydorus"))
    found = resolve_name("Chionoecetees")
    assert (found.accepted, found.candidates) == ("", ("Chionoecetes",))
    assert resolve_name("Chionoecetes tanerri").confidence == 0.97


def test_species__none_is_taken_for_another_one_when_it_is_taken_out() -> None:
    species = [name for name, taxon in _TABLE.taxa.items() if taxon.rank == "species"]
    assert len(species) > 110
    for name in species:
        assert _TABLE.spelling.near(key_of(name)) in ((name,), ())


@given(st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_resolve_name__takes_any_text(name: str) -> None:
    found = resolve_name(name)
    assert found.name == name
    assert 0 <= found.confidence <= 1
    assert bool(found.accepted) == bool(found.lineage) == (found.how != "unresolved")


def test_key_of__drops_blanks_and_capitals() -> None:
    assert key_of("  Bathochordaeus__mcnutti ") == "bathochordaeus mcnutti"
