"""Every recipe by name: its settings, and what builds its task from them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.registries import Registry, load
from finding_nemo.core.names.renamed_names import RENAMED_RECIPES, RENAMED_SETTINGS
from finding_nemo.training.recipes.renamed_settings import renamed_faults
from finding_nemo.training.recipes.settings import (
    AnySettings,
    BaselineSettings,
    NemoSettings,
    NetworkSettings,
    PatchesSettings,
    ProbeSettings,
    TrainerSettings,
)

_TASKS = "finding_nemo.training.tasks."


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A name, what it is, its settings and what builds it.

    Attributes:
        name: As given to `--recipe`.
        about: One line for people.
        settings: Its defaults.
        build: "module:function" of `training.tasks`: from settings, partition and run context to a
            task. In words, so that recipes can be listed without loading torch.
        searched: What `tune` searches where nothing is said, as it is written on a command line.
        is_of_study: Whether it is one of the course study's six, or of the two that it wished for.
    """

    name: str
    about: str
    settings: AnySettings
    build: str
    searched: tuple[str, ...] = ()
    is_of_study: bool = False

    @property
    def has_network(self) -> bool:
        """Whether a network is trained; a baseline opens no image."""
        return isinstance(self.settings, TrainerSettings)

    def builder(self) -> Callable[..., Any]:
        """Return the function that `build` names."""
        found: Callable[..., Any] = load(_TASKS + self.build)
        return found


def trainer_settings(settings: AnySettings) -> TrainerSettings:
    """Return `settings` as those of a training loop.

    Raises:
        TypeError: If they are a baseline's.
    """
    if not isinstance(settings, TrainerSettings):
        raise TypeError(f"{type(settings).__name__} trains no network")
    return settings


def _study(name: str, backbone: str, about: str, **changes: Any) -> Recipe:  # noqa: ANN401
    return Recipe(
        name=name,
        about=about,
        settings=NetworkSettings(backbone=backbone, **changes),
        build="finetune:build_finetune_task",
        searched=("learning_rate=1e-4..1e-2:log",),
        is_of_study=True,
    )


# What moved the score most in docs/experiments/, each around the recipe's own value.
_SEARCH_PROBE = (
    "learning_rate=2e-4..1e-2:log",
    "dropout=0.3..0.9",
    "weight_decay=1e-5..0.3:log",
    "epochs=5..40",
)
_SEARCH_PATCHES = (
    "learning_rate=2e-4..1e-2:log",
    "dropout=0.3..0.9",
    "patch_loss_weight=1.0..20.0:log",
    "weight_decay=1e-4..0.3:log",
    "epochs=2..20",
)
_SEARCH_NEMO = (
    "learning_rate=3e-4..3e-3:log",
    "backbone_rate=0.05..1.0:log",
    "dropout=0.2..0.8",
    "patch_loss_weight=1.0..20.0:log",
    "copy_paste=0.0..3.0",
)

_ALL = (
    Recipe(
        name="prior",
        about="class frequency; opens no image",
        settings=BaselineSettings(),
        build="baseline_tasks:build_prior_task",
    ),
    Recipe(
        name="time-copy",
        about="labels of the nearest training frame of the dive; opens no image",
        settings=BaselineSettings(),
        build="baseline_tasks:build_time_copy_task",
    ),
    Recipe(
        name="probe",
        about="linear head on frozen ImageNet features; minutes on a laptop (default)",
        settings=ProbeSettings(
            epochs=30,
            batch_size=64,
            optimizer="adamw",
            weight_decay=1e-4,
            schedule="one-cycle",
            loss="summed-bce",
        ),
        build="linear_probe:build_probe_task",
        searched=_SEARCH_PROBE,
    ),
    Recipe(
        name="patches",
        about="looks at each patch of a frozen network's features; minutes on a laptop",
        settings=PatchesSettings(
            batch_size=64,
            optimizer="adamw",
            weight_decay=0.02,
            schedule="one-cycle",
            ema_decay=0.995,
        ),
        build="frozen_patches:build_frozen_patch_task",
        searched=_SEARCH_PATCHES,
    ),
    Recipe(
        name="nemo",
        about="looks for each animal in each patch; some 27 core-minutes on 4,000 frames",
        settings=NemoSettings(
            batch_size=6,
            optimizer="adamw",
            weight_decay=0.02,
            schedule="one-cycle",
            ema_decay=0.995,
        ),
        build="patches:build_nemo_task",
        searched=_SEARCH_NEMO,
    ),
    Recipe(
        name="nemo-finetune",
        about="the same on every layer of a larger network at full width; for GPUs",
        settings=NemoSettings(
            backbone="convnext_tiny",
            width_px=960,
            height_px=544,
            trained_layers=1000,
            layer_decay=0.8,
            epochs=20,
            batch_size=16,
            optimizer="adamw",
            weight_decay=0.05,
            schedule="one-cycle",
            ema_decay=0.999,
            gradient_checkpointing=True,
        ),
        build="patches:build_nemo_task",
        searched=_SEARCH_NEMO,
    ),
    _study(
        "logistic-regression",
        "linear",
        "the study's linear layer on pixels",
        epochs=3,
        optimizer="sgd",
    ),
    _study(
        "basic-nn",
        "basic",
        "the study's five layers on pixels, squared error",
        epochs=3,
        loss="squared-error",
    ),
    _study("resnet18", "torchvision/resnet18", "the study's ResNet18", epochs=15),
    _study(
        "resnet18-cutout",
        "torchvision/resnet18",
        "the same with one 16 px square cut",
        epochs=12,
        cutout_px=16,
    ),
    _study(
        "efficientnet-b0",
        "torchvision/efficientnet_b0",
        "the study's EfficientNet-B0, SGD",
        epochs=80,
        optimizer="sgd",
    ),
    _study("densenet121", "torchvision/densenet121", "the study's DenseNet121", epochs=10),
    _study("resnet50", "resnet50", "the deeper ResNet that the study wished for", epochs=15),
    _study(
        "vit-small",
        "vit_small_patch16_224",
        "the vision transformer that the study wished for",
        epochs=15,
        # At the study's 1e-3 Adam drives a transformer's weights from where ImageNet left them.
        learning_rate=1e-4,
    ),
)

RECIPES: Registry[Recipe] = Registry(_ALL)
STUDY_RECIPES = tuple(recipe.name for recipe in _ALL if recipe.is_of_study)


def find_recipe(name: str) -> Recipe:
    """Return the recipe `name`; a name of an earlier version leads to the recipe of now.

    Raises:
        SettingsError: If there is none, with the nearest names.
    """
    name = RENAMED_RECIPES.get(name, name)
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise SettingsError(f"Unknown recipe {name!r}; known: {', '.join(RECIPES)}.{hint}")
    return RECIPES[name]


def recipe_settings(recipe: Recipe, changes: Mapping[str, Any]) -> AnySettings:
    """Return the recipe's settings with `changes` made.

    Raises:
        SettingsError: Listing every key that is unknown or that only other recipes read, and every
            value out of range.
    """
    unread = _only_of_others(recipe, changes)
    left_out = {*unread, *RENAMED_SETTINGS}
    read = {key: value for key, value in changes.items() if key not in left_out}
    values = {**recipe.settings.model_dump(), **read}
    faults = [_unread(recipe, key) for key in unread]
    faults += [f"Setting {fault}." for fault in renamed_faults(changes)]
    try:
        found = type(recipe.settings).build(values, source=f"the settings of recipe {recipe.name}")
    except SettingsError as error:
        raise SettingsError("\n".join([str(error), *faults])) from None
    if faults:
        raise SettingsError("\n".join(faults))
    return found


def _only_of_others(recipe: Recipe, changes: Mapping[str, Any]) -> list[str]:
    own = type(recipe.settings).model_fields
    known = {key for other in RECIPES.values() for key in type(other.settings).model_fields}
    return [key for key in changes if key in known and key not in own]


def _unread(recipe: Recipe, key: str) -> str:
    own = ", ".join(type(recipe.settings).model_fields) or "no setting"
    return f"Recipe {recipe.name} does not read {key!r}; it reads {own}."
