"""Spellings of one name have one key."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.text.name_key import name_key


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("crab", "CRAB"),
        ("sea cucumber", "  sea \u00a0 cucumber"),
        ("Crangonidé", "Crangonide\u0301"),
        ("Straße", "STRASSE"),
    ],
)
def test_key__is_one_of_all_spellings(name: str, other: str) -> None:
    assert name_key(name) == name_key(other)


@pytest.mark.parametrize(("name", "other"), [("crab", "crabs"), ("sea pen", "seapen"), ("e", "é")])
def test_key__tells_names_apart(name: str, other: str) -> None:
    assert name_key(name) != name_key(other)


@given(st.text(max_size=20))
def test_key__is_its_own(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert name_key(unicodedata.normalize("NFD", name)) == key
    assert name_key(f" {name}\n") == key
