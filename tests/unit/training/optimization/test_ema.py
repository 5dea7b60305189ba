"""The running average of weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from finding_nemo.training.optimization.ema import ExponentialMovingAverage


def one_weight(value: float) -> nn.Linear:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


def test_average__follows_faster_at_first() -> None:
    network = one_weight(0.0)
    ema = ExponentialMovingAverage(network, decay=0.99)
    nn.init.constant_(network.weight, 11.0)
    ema.update(1)
    # 1 - (1 + 1) / (10 + 1) of the way.
    assert float(ema.tensors["weight"]) == pytest.approx(9.0)


def test_average__is_put_in_and_taken_out() -> None:
    network = one_weight(4.0)
    ema = ExponentialMovingAverage(network, decay=0.5)
    nn.init.constant_(network.weight, 8.0)
    with ema.applied():
        assert network.weight.item() == 4.0
    assert network.weight.item() == 8.0


def test_average__goes_on_from_what_was_stored() -> None:
    ema = ExponentialMovingAverage(one_weight(4.0), decay=0.5)
    ema.load({"weight": torch.tensor([[2.0]])})
    assert float(ema.tensors["weight"]) == 2.0


def test_no_decay__keeps_nothing_and_changes_nothing() -> None:
    network = one_weight(4.0)
    ema = ExponentialMovingAverage(network, decay=0.0)
    ema.update(1)
    assert ema.tensors == {}
    with ema.applied():
        assert network.weight.item() == 4.0
