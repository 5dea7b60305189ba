"""Losses, optimizers and schedules: each row works, and settings take its name and no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest
import torch
from torch import nn

from finding_nemo.core.errors import SettingsError
from finding_nemo.training.optimization.losses import OBJECTIVES
from finding_nemo.training.optimization.optimizers import build_optimizer, schedule_factor
from finding_nemo.training.recipes.loop_choices import LOSSES, OPTIMIZERS, SCHEDULES
from finding_nemo.training.recipes.settings import ProbeSettings, TrainerSettings

_TABLES: dict[str, Mapping[str, object]] = {
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss__falls_as_outputs_come_nearer_the_truth(name: str) -> None:
    truth = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    objective = OBJECTIVES[name]
    loss = objective.loss
    assert loss(truth, truth) < loss(0.5 * truth, truth) < loss(1 - truth, truth)
    # A mean over images: the same images twice change nothing.
    twice = loss((0.3 * truth).repeat(2, 1), truth.repeat(2, 1))
    torch.testing.assert_close(twice, loss(0.3 * truth, truth))
    assert objective.activation == LOSSES[name].activation


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer__makes_a_step_downhill(name: str) -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    settings = TrainerSettings(epochs=1, optimizer=name, learning_rate=0.01)
    optimizer = build_optimizer(network, settings, {})
    inputs = torch.ones(4, 3)
    before = network(inputs).square().mean()
    before.backward()
    optimizer.step()
    assert network(inputs).square().mean() < before


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule__stays_within_its_bounds_and_reaches_the_whole_rate(name: str) -> None:
    factors = [schedule_factor(name, step, 50) for step in range(50)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("key", _TABLES)
def test_setting__takes_the_names_of_its_table_and_lists_them_otherwise(key: str) -> None:
    for name in _TABLES[key]:
        assert getattr(ProbeSettings.build({"epochs": 1, key: name}), key) == name
    words = f"{key} = 'other': input should be one of {', '.join(_TABLES[key])}"
    with pytest.raises(SettingsError) as caught:
        ProbeSettings.build({"epochs": 1, key: "other"})
    assert words in str(caught.value)


def test_recipes__are_listed_without_torch() -> None:
    code = (
        "import sys, finding_nemo.training.recipes.registry\n"
        "print({'torch', 'numpy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
