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


def test_add__puts_a_row_at_the_end_and_never_replaces_what_was_there() -> None:
    table = registry(Row("mean"))
    table.add(Row("mine", "first"), kind="row")
    assert (list(table), table.added, len(table)) == (["mean", "mine"], ("mine",), 2)
    with pytest.raises(SettingsError, match="The row 'mine' is there already: give overwrite=True"):
        table.add(Row("mine", "second"), kind="row")
    table.add(Row("mine", "second"), kind="row", overwrite=True)
    assert table["mine"].about == "second"
    for overwrite in (False, True):
        with pytest.raises(SettingsError, match="'mean' is there already: it comes with the pack"):
            table.add(Row("mean"), kind="row", overwrite=overwrite)


@pytest.mark.parametrize("name", ["a", "focal-2", "my.loss_v3", "x" * 60])
def test_add__takes_plain_names(name: str) -> None:
    table = registry(Row("mean"))
    table.add(Row(name), kind="row")
    assert name in table


@pytest.mark.parametrize(
    "name",
    [
        *("", "A", "9", "1e3", "true", "null", "a b", "a\n", "-a", "a-", "a--b", "../a", "a/b"),
        *("é", "x" * 61, "$x$", "=1", "a\x1b[2J"),
    ],
)
def test_add__refuses_names_that_no_setting_could_say(name: str) -> None:
    table = registry(Row("mean"))
    with pytest.raises(SettingsError, match="cannot be the name of a registered row") as caught:
        table.add(Row(name), kind="row")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    assert list(table) == ["mean"]


def test_load__takes_a_function_as_it_is() -> None:
    assert load(math.sqrt) is math.sqrt
