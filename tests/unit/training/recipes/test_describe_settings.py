"""Every setting of every recipe has a meaning that people can read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from typer.testing import CliRunner

from finding_nemo.cli.main import app
from finding_nemo.core.config import Settings, one_of
from finding_nemo.core.names.registries import registry
from finding_nemo.training.recipes.describe_settings import describe_settings
from finding_nemo.training.recipes.loop_choices import LOSSES, OPTIMIZERS, SCHEDULES
from finding_nemo.training.recipes.registry import RECIPES, find_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting__has_its_meaning_and_the_recipes_own_value(name: str) -> None:
    settings = find_recipe(name).settings
    described = describe_settings(settings)
    assert [setting.name for setting in described] == list(type(settings).model_fields)
    for setting in described:
        assert len(setting.meaning) > 8
        assert setting.meaning.endswith(".")
        assert setting.default == getattr(settings, setting.name)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    about: str


_WAYS = registry(_Row("left", "first one"), _Row("right", "other one"), _Row("both", "two"))


class _Toy(Settings):
    """Settings of nothing.

    Attributes:
        way: Which way.
        size: How "large".
    """

    way: Annotated[str, one_of(_WAYS)] = "right"
    size: Literal["s", "m"] = "s"


def test_choices__are_those_of_the_table_with_its_words() -> None:
    way, size = describe_settings(_Toy())
    assert (way.choices, way.in_words) == (("left", "right", "both"), "right (or left, both)")
    assert way.meaning == "Which way. left: first one; right: other one; both: two."
    assert (size.in_words, size.meaning) == ("s (or m)", 'How "large".')


def test_choices__are_listed_where_there_are_choices() -> None:
    by_name = {
        setting.name: setting for setting in describe_settings(find_recipe("probe").settings)
    }
    for key, table in (("optimizer", OPTIMIZERS), ("loss", LOSSES), ("schedule", SCHEDULES)):
        assert by_name[key].choices == tuple(table)
        others = [name for name in table if name != by_name[key].default]
        assert by_name[key].in_words == f"{by_name[key].default} (or {', '.join(others)})"
        assert all(f"{row.name}: {row.about}" in by_name[key].meaning for row in table.values())
    assert by_name["epochs"].in_words == "30"
    nemo = {setting.name: setting for setting in describe_settings(find_recipe("nemo").settings)}
    assert nemo["trained_layers"].in_words == "null"
    # The special class's own words, not those of its base.
    assert "4,000 views" in nemo["epochs"].meaning


def test_verb__lists_recipes_and_settings_for_people_and_programs() -> None:
    run = CliRunner()
    listed = run.invoke(app, ["recipes"])
    assert listed.exit_code == 0
    assert all(name in listed.output for name in RECIPES)
    one = run.invoke(app, ["recipes", "nemo"])
    assert "color_transfer_prob" in one.output
    assert "--set NAME=VALUE" in one.output
    assert run.invoke(app, ["recipes", "prior"]).output.strip().endswith("It has no settings.")
    found = json.loads(run.invoke(app, ["recipes", "probe", "--json"]).output)
    assert found["probe"]["settings"]["dropout"]["default"] == 0.65
    assert run.invoke(app, ["recipes", "nem"]).exit_code == 1
