"""Every setting of every recipe is read by its training, or refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.errors import DatasetError, SettingsError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.training.optimization.losses import OBJECTIVES
from finding_nemo.training.packaging.parity import largest_difference
from finding_nemo.training.recipes import settings as recipes
from finding_nemo.training.recipes.registry import RECIPES, find_recipe, recipe_settings
from finding_nemo.training.recipes.settings import LossSettings
from finding_nemo.training.train_recipe import train

KEYS = sorted({key for recipe in RECIPES.values() for key in type(recipe.settings).model_fields})
_SMALL: dict[str, Any] = {"width_px": 64, "height_px": 64, "epochs": 1, "batch_size": 16}


@pytest.mark.parametrize("name", RECIPES)
def test_every_key__is_of_the_recipe_or_refused_by_name(name: str) -> None:
    recipe = find_recipe(name)
    own = type(recipe.settings).model_fields
    for key in KEYS:
        if key in own:
            value = recipe.settings.model_dump()[key]
            assert recipe_settings(recipe, {key: value}) == recipe.settings
            continue
        with pytest.raises(SettingsError) as told:
            recipe_settings(recipe, {key: 1})
        said = f"Recipe {name} does not read '{key}'; it reads {', '.join(own) or 'no setting'}."
        assert str(told.value) == said


@pytest.mark.parametrize("name", ["patches", "nemo", "nemo-finetune", "prior", "time-copy"])
def test_loss__is_refused_where_it_is_not_a_choice(name: str) -> None:
    with pytest.raises(SettingsError, match=f"Recipe {name} does not read 'loss'"):
        recipe_settings(find_recipe(name), {"loss": "squared-error"})
    assert "loss" not in find_recipe(name).settings.model_dump()


def test_faults_of_both_kinds__are_told_together() -> None:
    with pytest.raises(SettingsError) as told:
        recipe_settings(find_recipe("nemo"), {"loss": "mean-bce", "epochs": -1, "epoch": 2})
    for words in ("does not read 'loss'", "epochs = -1", "unknown key 'epoch'"):
        assert words in str(told.value)


@pytest.mark.parametrize("name", ["logistic-regression", "basic-nn"])
def test_weights_that_nobody_has__are_refused(name: str) -> None:
    recipe = find_recipe(name)
    with pytest.raises(SettingsError, match="has no ImageNet weights"):
        recipe_settings(recipe, {"pretrained": True})
    larger = recipe_settings(recipe, {"pretrained": True, "backbone": "torchvision/resnet18"})
    assert larger.model_dump()["pretrained"] is True


class _Watched:
    """Settings that remember which of them were read, but for their own checks."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def watch(self, patch: pytest.MonkeyPatch, cls: type[Any]) -> None:
        plain: Any = cls.__getattribute__
        fields = set(cls.model_fields)
        read = self.read

        def seen(self: Any, name: str) -> Any:
            if name in fields and sys._getframe(1).f_code.co_filename != recipes.__file__:
                read.add(name)
            return plain(self, name)

        patch.setattr(cls, "__getattribute__", seen)


# One recipe of each kind and of each network that is built in another way, with what is small.
TRAINED: dict[str, dict[str, Any]] = {
    "probe": {"backbone": "test_efficientnet", "pretrained": False},
    "patches": {"backbone": "test_efficientnet", "pretrained": False},
    "nemo": {"backbone": "test_efficientnet", "pretrained": False},
    "logistic-regression": {},
    "resnet18": {"backbone": "test_efficientnet", "pretrained": False},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_every_setting__is_read_by_the_training_of_its_recipe(
    name: str, dataset: Dataset, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = _Watched()
    settings = type(find_recipe(name).settings)
    watched.watch(monkeypatch, settings)
    run = train(
        dataset,
        out=tmp_path / "run",
        recipe=name,
        split=split,
        settings={**_SMALL, **TRAINED[name]},
    )
    unread = set(settings.model_fields) - watched.read
    # Nothing to start from, and nothing but False is accepted.
    assert unread == ({"pretrained", "weights"} if name == "logistic-regression" else set())
    assert set(run.bundle.manifest.settings) == set(settings.model_fields) - unread


@pytest.mark.slow
@pytest.mark.parametrize("name", ["probe", "basic-nn", "patches"])
@pytest.mark.parametrize("loss", OBJECTIVES)
def test_what_outputs_mean__is_what_the_network_was_taught(
    name: str, loss: str, dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    recipe = find_recipe(name)
    chooses = isinstance(recipe.settings, LossSettings)
    settings = {**_SMALL, **TRAINED.get(name, {}), **({"loss": loss} if chooses else {})}
    run = train(dataset, out=tmp_path / "run", recipe=name, split=split, settings=settings)
    wanted = OBJECTIVES[loss].activation if chooses else "sigmoid"
    assert run.bundle.manifest.activation == wanted
    assert run.bundle.manifest.settings.get("loss") == (loss if chooses else None)


@pytest.mark.slow
def test_normalise__centres_the_pixels_of_every_network(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    run = train(
        dataset,
        out=tmp_path / "run",
        recipe="basic-nn",
        split=split,
        settings={**_SMALL, "normalise": True},
    )
    assert run.bundle.preprocessing.mean == (0.485, 0.456, 0.406)
    assert run.bundle.preprocessing.std == (0.229, 0.224, 0.225)


@pytest.mark.parametrize(
    ("said", "wanted", "difference"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0]], 0.0),
        # Clipped to [0, 1] these are equal.
        ([[-3.0, 9.0]], [[-30.0, 90.0]], 0.9),
        ([[0.5]], [[0.25]], 0.25),
        ([[1.0]], [[1.0, 2.0]], np.inf),
        ([[np.nan]], [[1.0]], np.nan),
        ([[np.inf]], [[np.inf]], np.nan),
    ],
)
def test_parity__compares_outputs_as_they_come(
    said: list[list[float]], wanted: list[list[float]], difference: float
) -> None:
    found = largest_difference(np.array(said, np.float32), np.array(wanted, np.float32))
    assert found == pytest.approx(difference, nan_ok=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"category_id": 2**40}, "category_id = 1099511627776"), ({"name": "a\x1bb"}, "control")],
)
def test_a_category_that_no_bundle_can_keep__is_refused_before_training(
    dataset: Dataset, split: Split, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    first, *rest = dataset.categories.categories
    table = replace(dataset.categories, categories=(*rest, replace(first, **changes)))
    with pytest.raises(DatasetError, match=words):
        train(replace(dataset, categories=table), out=tmp_path / "run", recipe="prior", split=split)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes", "unused"),
    [
        ("patches", {}, {"patch_loss_weight"}),
        ("nemo", {"trained_layers": 1}, {"global_weight", "top_k_patches"}),
    ],
)
def test_settings_that_data_give_no_use_for__are_not_recorded(
    dataset: Dataset,
    split: Split,
    tmp_path: Path,
    name: str,
    changes: dict[str, Any],
    unused: set[str],
) -> None:
    bare = replace(dataset, records=tuple(replace(r, boxes=()) for r in dataset.records))
    run = train(
        bare,
        out=tmp_path / "run",
        recipe=name,
        split=split,
        settings={**_SMALL, **TRAINED[name], **changes},
    )
    fields = set(type(find_recipe(name).settings).model_fields)
    assert fields - set(run.bundle.manifest.settings) == unused
