"""Tables of what is chosen by name."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.registries import describe, find_entry, load, registry


@dataclass(frozen=True)
class Row:
    name: str
    about: str = "a row"


def test_registry__keeps_the_order_and_refuses_a_name_twice() -> None:
    assert list(registry(Row("b"), Row("a"))) == ["b", "a"]
    with pytest.raises(ValueError, match="stands twice"):
        registry(Row("a"), Row("a"))


def test_find_entry__says_what_there_is() -> None:
    table = registry(Row("mean"), Row("max"))
    assert find_entry(table, "max", kind="row") == Row("max")
    with pytest.raises(SettingsError, match=r"Unknown row 'min'; known: mean, max\."):
        find_entry(table, "min", kind="row")


def test_describe__is_one_sentence_a_row() -> None:
    assert describe([Row("a", "first"), Row("b", "second")]) == "a: first; b: second"


def test_load__imports_what_is_named() -> None:
    assert load("math:sqrt") is math.sqrt
