"""What people register: by a name that settings take, once, and refused with words that help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from finding_nemo import (
    register_augmentation,
    register_backbone,
    register_loss,
    register_recipe,
    register_sampler,
)
from finding_nemo.core.errors import ArgumentError, SettingsError, TrainingError
from finding_nemo.models.networks.backbones import load_backbone
from finding_nemo.training.optimization.losses import OBJECTIVES
from finding_nemo.training.recipes.describe_settings import describe_settings
from finding_nemo.training.recipes.loop_choices import LOSSES
from finding_nemo.training.recipes.registry import find_recipe, recipe_settings

pytestmark = pytest.mark.usefixtures("own_parts")

_DOORS: dict[str, Callable[..., Any]] = {
    "loss": register_loss,
    "backbone": register_backbone,
    "augmentation": register_augmentation,
    "sampler": register_sampler,
}
_TAKEN = {
    "loss": "mean-bce",
    "backbone": "resnet18",
    "augmentation": "none",
    "sampler": "shuffle",
}


def _nothing(*_: object) -> None:
    """Do nothing. It is only a name."""


def _look_up(kind: str, name: str) -> None:
    if kind == "backbone":
        load_backbone(name, n_outputs=0, pretrained=False)
    else:
        recipe_settings(find_recipe("resnet18"), {kind: name})


@pytest.mark.parametrize("kind", _DOORS)
def test_name__is_taken_by_its_setting_and_listed_where_another_is_refused(kind: str) -> None:
    assert _DOORS[kind]("my-own")(_nothing) is _nothing
    recipe = find_recipe("resnet18")
    assert recipe_settings(recipe, {kind: "my-own"}).model_dump()[kind] == "my-own"
    with pytest.raises(SettingsError) as caught:
        _look_up(kind, "my-onw")
    assert "my-own" in str(caught.value)
    if kind != "backbone":
        described = {row.name: row for row in describe_settings(recipe.settings)}[kind]
        assert described.choices[-1] == "my-own"
        assert "my-own: Do nothing" in described.meaning


@pytest.mark.parametrize("kind", _DOORS)
def test_name__is_refused_where_it_is_unusable_or_taken(kind: str) -> None:
    door = _DOORS[kind]
    with pytest.raises(SettingsError, match=f"cannot be the name of a registered {kind}"):
        door("My Own")
    with pytest.raises(SettingsError, match=f"The {kind} '{_TAKEN[kind]}' is there already"):
        door(_TAKEN[kind], overwrite=True)
    door("my-own")(_nothing)
    with pytest.raises(SettingsError, match="'my-own' is there already: give overwrite=True"):
        door("my-own")
    door("my-own", overwrite=True)(_nothing)


@pytest.mark.parametrize("kind", _DOORS)
def test_what_cannot_be_called__is_refused(kind: str) -> None:
    words = rf"register_{kind}\(name\) takes a function .* got int"
    with pytest.raises(ArgumentError, match=words):
        _DOORS[kind]("my-own")(3)


def test_loss__must_give_one_number() -> None:
    register_loss("each")(lambda outputs, truth: (outputs - truth).square())
    register_loss("clipped", activation="clip")(lambda o, t: (o - t).square().mean())
    outputs, truth = torch.tensor([[0.5, 1.0]]), torch.tensor([[1.0, 1.0]])
    with pytest.raises(TrainingError, match=r"'each' returned a Tensor of shape \(1, 2\); it must"):
        OBJECTIVES["each"].loss(outputs, truth)
    assert OBJECTIVES["clipped"].activation == "clip"
    assert float(OBJECTIVES["clipped"].loss(outputs, truth)) == 0.125  # (0.25 + 0) / 2
    assert LOSSES.added == ("each", "clipped")
    with pytest.raises(SettingsError, match=r"activation = 'softmax': it is"):
        register_loss("soft", activation="softmax")  # type: ignore[arg-type]


def _convolutions() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def test_backbone__gets_a_classifier_of_its_own_width() -> None:
    register_backbone("small", mean=(0.1, 0.2, 0.3))(_convolutions)
    loaded = load_backbone("small", n_outputs=7, pretrained=True, frame_px=(9, 12))
    assert loaded.network(torch.zeros(2, 3, 20, 9)).shape == (2, 7)
    assert (loaded.mean, loaded.unread) == ((0.1, 0.2, 0.3), frozenset({"pretrained"}))
    assert loaded.origin.kind == "registered"
    bare = load_backbone("small", n_outputs=0, pretrained=True)
    assert bare.network(torch.zeros(2, 3, 9, 9)).shape == (2, 5)
    assert all(module.training for module in loaded.network.modules())


def test_backbone__is_asked_for_weights_if_it_can_tell() -> None:
    asked = []

    @register_backbone("asking")
    def asking(pretrained: bool) -> nn.Module:
        asked.append(pretrained)
        return _convolutions()

    asked_for_none = load_backbone("asking", n_outputs=0, pretrained=False)
    assert not asked_for_none.unread
    assert asked_for_none.origin.is_random
    load_backbone("asking", n_outputs=0, pretrained=True)
    assert asked == [False, True]


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (nn.Conv2d(3, 5, 3), r"made \(2, 5, 7, 7\) of two frames; it must make \(2, features\)"),
        (nn.Linear(4, 5), r"cannot take frames of shape \(2, 3, 9, 9\)"),
        (None, "returned NoneType; it must return a torch.nn.Module"),
    ],
)
def test_backbone__that_gives_no_features_is_refused(network: Any, words: str) -> None:
    register_backbone("odd")(lambda: network)
    with pytest.raises(SettingsError, match=words):
        load_backbone("odd", n_outputs=3, pretrained=False, frame_px=(9, 9))


def test_recipe__is_another_with_other_settings() -> None:
    register_recipe("small-probe", base="probe", settings={"width_px": 64, "height_px": 48})
    found = find_recipe("small-probe")
    assert found.about == "probe with width_px, height_px"
    assert found.settings.model_dump() == {
        **find_recipe("probe").settings.model_dump(),
        "width_px": 64,
        "height_px": 48,
    }
    with pytest.raises(SettingsError, match="Recipe probe does not read 'copy_paste'"):
        register_recipe("other", base="probe", settings={"copy_paste": 1})
    with pytest.raises(SettingsError, match="The recipe 'probe' is there already"):
        register_recipe("probe", base="nemo", settings={})
    with pytest.raises(SettingsError, match=r"Unknown recipe 'x'; known: .*small-probe"):
        register_recipe("y", base="x", settings={})
