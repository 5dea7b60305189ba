"""The recipes' names and settings: the course study's own figures, and refusals that help."""

from __future__ import annotations

from typing import Any

import pytest

from finding_nemo.core.errors import SettingsError
from finding_nemo.training.recipes.registry import (
    RECIPES,
    STUDY_RECIPES,
    find_recipe,
    recipe_settings,
)
from finding_nemo.training.recipes.study_next_steps import STUDY_NEXT_STEPS, with_study_next_steps


def test_recipes__are_known_by_name() -> None:
    assert STUDY_RECIPES == (
        "logistic-regression",
        "basic-nn",
        "resnet18",
        "resnet18-cutout",
        "efficientnet-b0",
        "densenet121",
        "resnet50",
        "vit-small",
    )
    assert {"prior", "time-copy", "probe"} | set(STUDY_RECIPES) <= set(RECIPES)


def test_wished_recipes__are_in_the_studys_manner() -> None:
    study = find_recipe("resnet18").settings.model_dump()
    for name, backbone, rate in (
        ("resnet50", "resnet50", 1e-3),
        ("vit-small", "vit_small_patch16_224", 1e-4),
    ):
        settings = find_recipe(name).settings.model_dump()
        assert settings == {**study, "backbone": backbone, "learning_rate": rate}


@pytest.mark.parametrize(
    ("name", "epochs", "optimizer", "loss", "cutout"),
    [
        ("logistic-regression", 3, "sgd", "mean-bce", 0),
        ("basic-nn", 3, "adam", "squared-error", 0),
        ("resnet18", 15, "adam", "mean-bce", 0),
        ("resnet18-cutout", 12, "adam", "mean-bce", 16),
        ("efficientnet-b0", 80, "sgd", "mean-bce", 0),
        ("densenet121", 10, "adam", "mean-bce", 0),
    ],
)
def test_study_recipes__have_the_studys_settings(
    name: str, epochs: int, optimizer: str, loss: str, cutout: int
) -> None:
    settings = find_recipe(name).settings.model_dump()
    expected = {
        "epochs": epochs,
        "optimizer": optimizer,
        "loss": loss,
        "cutout_px": cutout,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "width_px": 224,
        "height_px": 224,
    }
    assert {key: settings[key] for key in expected} == expected


def test_changes__are_made_and_checked_all_at_once() -> None:
    probe = find_recipe("probe")
    changed = recipe_settings(probe, {"backbone": "resnet18", "dropout": 0.1})
    assert changed.model_dump()["backbone"] == "resnet18"
    bad: dict[str, Any] = {"dropout": 1.0, "epochs": 0, "learning_rate": 1e31, "drop_out": 0.5}
    with pytest.raises(SettingsError) as told:
        recipe_settings(probe, bad)
    for word in ("dropout", "epochs", "learning_rate", "drop_out", "probe"):
        assert word in str(told.value)


def test_unknown_recipe__names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="Did you mean resnet18-cutout"):
        find_recipe("resnet18-cutot")


@pytest.mark.parametrize("name", STUDY_RECIPES)
def test_study_next_steps__changes_every_recipe_of_the_study(name: str) -> None:
    settings = recipe_settings(find_recipe(name), with_study_next_steps(name, {"epochs": 2}))
    found = settings.model_dump()
    assert {key: found[key] for key in STUDY_NEXT_STEPS} == dict(STUDY_NEXT_STEPS)
    assert found["epochs"] == 2
    assert found["backbone"] == find_recipe(name).settings.model_dump()["backbone"]


def test_study_next_steps__is_refused_elsewhere() -> None:
    with pytest.raises(
        SettingsError, match=r"--study-next-steps is for the study's recipes .*'probe'"
    ):
        with_study_next_steps("probe", {})


def test_old_names__of_recipes_are_known_and_of_settings_refused_with_the_new_ones() -> None:
    assert find_recipe("places") is find_recipe("patches")
    with pytest.raises(SettingsError) as told:
        recipe_settings(find_recipe("nemo"), {"pastes": 2, "lit": 0.5, "epoch": 1})
    for words in (
        "Setting 'pastes' was renamed to 'copy_paste'.",
        "Setting 'lit' was renamed to 'color_transfer_prob'.",
        "unknown key 'epoch'",
    ):
        assert words in str(told.value)
    with pytest.raises(SettingsError, match="'averaging' was renamed to 'ema_decay'"):
        recipe_settings(find_recipe("probe"), {"averaging": 0.9})


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe__names_a_builder_that_is_there(name: str) -> None:
    assert callable(find_recipe(name).builder())
