"""Learning rates by layer and by step."""

from __future__ import annotations

import pytest
import timm
from torch import nn

from finding_nemo.training.optimization.layer_decay import (
    freeze_lowest,
    layer_rate_factors,
    parameter_layers,
)
from finding_nemo.training.optimization.optimizers import (
    build_optimizer,
    schedule_factor,
    set_learning_rate,
)
from finding_nemo.training.recipes.settings import TrainerSettings


def test_schedule__rises_then_falls() -> None:
    factors = [schedule_factor("one-cycle", step, 100) for step in range(100)]
    assert factors[0] == pytest.approx(1 / 25)
    assert max(factors) == factors[30] == 1.0
    assert factors[-1] == pytest.approx(1 / 25e4)
    assert schedule_factor("constant", 50, 100) == 1.0


def test_rate_factors__multiply_each_groups_rate() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    settings = TrainerSettings(epochs=1, optimizer="adamw", learning_rate=0.1, weight_decay=0.5)
    optimizer = build_optimizer(network, settings, {"0.weight": 0.1, "0.bias": 0.1})
    assert set_learning_rate(optimizer, settings, 0, 10) == 0.1
    rates = {
        name: group["lr"]
        for group in optimizer.param_groups
        for name, parameter in network.named_parameters()
        if any(parameter is one for one in group["params"])
    }
    assert rates == pytest.approx(
        {"0.weight": 0.01, "0.bias": 0.01, "1.weight": 0.1, "1.bias": 0.1}
    )
    decays = {group["weight_decay"] for group in optimizer.param_groups}
    assert decays == {0.0, 0.5}


def test_layers__are_timms_own_and_only_the_highest_are_trained() -> None:
    backbone = timm.create_model("test_efficientnet", num_classes=0)
    layers = parameter_layers(backbone)
    assert layers["conv_stem.weight"] == 0
    assert layers["conv_head.weight"] == max(layers.values())
    count = freeze_lowest(backbone, trained_layers=1)
    assert (count.trained, count.all) == (1, max(layers.values()) + 1)
    trained = {name for name, p in backbone.named_parameters() if p.requires_grad}
    assert trained == {name for name, layer in layers.items() if layer == max(layers.values())}
    assert freeze_lowest(backbone, trained_layers=99).trained == count.all


def test_layer_rates__fall_by_the_same_factor_from_layer_to_layer() -> None:
    backbone = timm.create_model("test_efficientnet", num_classes=0)
    factors = layer_rate_factors(backbone, highest=0.4, decay=0.5, prefix="body.")
    top = max(parameter_layers(backbone).values())
    assert factors["body.conv_head.weight"] == 0.4
    assert factors["body.conv_stem.weight"] == pytest.approx(0.4 * 0.5**top)
