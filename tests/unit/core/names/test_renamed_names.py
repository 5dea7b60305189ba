"""Names of earlier versions are read as those of now, and told to a person who types them."""

from __future__ import annotations

import pytest

from finding_nemo.core.names.renamed_names import (
    RENAMED_RECIPES,
    RENAMED_SETTINGS,
    current_network,
    current_recipe,
    current_settings,
)
from finding_nemo.training.recipes.registry import RECIPES
from finding_nemo.training.recipes.renamed_settings import renamed_faults, renamed_recipe_fault


def test_new_names__are_in_use_and_old_ones_are_not() -> None:
    known = {key for recipe in RECIPES.values() for key in type(recipe.settings).model_fields}
    assert set(RENAMED_SETTINGS.values()) <= known
    assert not known & set(RENAMED_SETTINGS)
    assert set(RENAMED_RECIPES.values()) <= set(RECIPES)
    assert not set(RECIPES) & set(RENAMED_RECIPES)


def test_settings__are_renamed_in_every_member_of_an_ensemble() -> None:
    member = {"recipe": "places", "share": 0.5, "settings": {"pastes": 1.5, "epochs": 2}}
    inner = {"recipe": "places + nemo", "settings": {"members": [member]}}
    assert current_settings({"members": [inner, "odd"]}) == {
        "members": [
            {
                "recipe": "patches + nemo",
                "settings": {
                    "members": [
                        {
                            "recipe": "patches",
                            "share": 0.5,
                            "settings": {"copy_paste": 1.5, "epochs": 2},
                        }
                    ]
                },
            },
            "odd",
        ]
    }


@pytest.mark.parametrize("old", RENAMED_SETTINGS)
def test_setting__keeps_its_value_and_its_old_name_is_told(old: str) -> None:
    assert current_settings({old: 3}) == {RENAMED_SETTINGS[old]: 3}
    assert current_settings({RENAMED_SETTINGS[old]: 3}) == {RENAMED_SETTINGS[old]: 3}
    assert renamed_faults([old, "epochs"]) == [f"{old!r} was renamed to {RENAMED_SETTINGS[old]!r}"]


def test_recipe__is_renamed_and_told() -> None:
    assert current_recipe("places") == "patches"
    assert current_recipe("places of mine") == "places of mine"
    assert renamed_recipe_fault("places") == "'places' was renamed to 'patches'"
    assert renamed_recipe_fault("patches") is None


def test_network__of_predictions_has_a_dtype() -> None:
    old = {"network": {"runtime": "openvino", "precision": "int8"}, "precision": 0.9}
    assert current_network(old) == {
        "network": {"runtime": "openvino", "dtype": "int8"},
        "precision": 0.9,
    }
    for metadata in ({}, {"network": None}, {"network": {"dtype": "int8"}}):
        assert current_network(metadata) == metadata
