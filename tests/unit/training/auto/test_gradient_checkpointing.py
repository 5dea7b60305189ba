"""When activations are computed twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import timm
import torch

from finding_nemo.models.networks.patch_heads import PatchHeads
from finding_nemo.models.networks.patch_network import PatchNetwork
from finding_nemo.training.auto.gradient_checkpointing import choose_gradient_checkpointing

_USUAL, _LARGE = 3 * 480 * 352, 3 * 768 * 544


@pytest.mark.parametrize(
    ("wanted", "n_pixels", "every_layer", "device", "expected"),
    [
        (None, _USUAL, True, "cpu", False),
        (None, _LARGE, True, "cpu", True),
        (None, _LARGE, False, "cpu", False),
        (None, _LARGE, True, "cuda", False),
        (True, _USUAL, True, "cuda", True),
        (False, _LARGE, True, "cpu", False),
    ],
)
def test_activations__are_computed_twice_where_a_laptop_would_run_out(
    wanted: bool | None, n_pixels: int, every_layer: bool, device: str, expected: bool
) -> None:
    chosen = choose_gradient_checkpointing(
        wanted, n_pixels=n_pixels, every_layer=every_layer, device=device
    )
    assert chosen.value is expected
    assert chosen.in_words.startswith("on: " if expected else "off: ")


def test_reason__says_how_much() -> None:
    chosen = choose_gradient_checkpointing(None, n_pixels=_LARGE, every_layer=True, device="cpu")
    assert "1.3 million pixels at once" in chosen.reason


def gradients(*, twice: bool) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    backbone: Any = timm.create_model("test_efficientnet", num_classes=0)
    heads = PatchHeads(np.array([0.5, 0.1]), n_features=backbone.num_features)
    network = PatchNetwork(backbone, heads, dropout=0.5)
    torch.nn.init.normal_(heads.global_head.weight)
    backbone.set_grad_checkpointing(twice)
    network.train()
    pixels = torch.randn(3, 3, 64, 96)
    network(pixels).square().mean().backward()
    return {name: p.grad for name, p in network.named_parameters() if p.grad is not None}


def test_both_ways__teach_every_layer_the_same() -> None:
    kept, twice = gradients(twice=False), gradients(twice=True)
    assert kept.keys() == twice.keys()
    assert "backbone.conv_stem.weight" in kept
    for name, gradient in kept.items():
        torch.testing.assert_close(twice[name], gradient, msg=name)
