"""Optimizers, and the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import nn, optim

from finding_nemo.core.names.registries import load
from finding_nemo.training.recipes.loop_choices import OPTIMIZERS, SCHEDULES
from finding_nemo.training.recipes.settings import TrainerSettings

_WARM_UP_SHARE = 0.3
_START_DIVISOR = 25.0
_END_DIVISOR = 1e4


def build_optimizer(
    network: nn.Module, settings: TrainerSettings, rate_factors: Mapping[str, float]
) -> optim.Optimizer:
    """Return the optimizer over what can be trained.

    Args:
        network: Its parameters that require a gradient are trained.
        settings: Which optimizer, learning rate, weight decay.
        rate_factors: By parameter name, what its learning rate is multiplied with; 1 if missing.
    """
    row = OPTIMIZERS[settings.optimizer]
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decays = row.decays_biases or parameter.ndim > 1
            decay = settings.weight_decay if decays else 0.0
            groups.setdefault((rate_factors.get(name, 1.0), decay), []).append(parameter)
    optimizer: optim.Optimizer = load(row.builder)(
        [
            {"params": parameters, "weight_decay": decay, "rate_factor": factor}
            for (factor, decay), parameters in groups.items()
        ],
        lr=settings.learning_rate,
    )
    return optimizer


def set_learning_rate(
    optimizer: optim.Optimizer, settings: TrainerSettings, step: int, steps_an_epoch: int
) -> float:
    """Set each group's learning rate for `step`; return the one before group factors."""
    rate = settings.learning_rate * schedule_factor(
        settings.schedule, step, settings.epochs * steps_an_epoch
    )
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rate_factor"]
    return rate


def schedule_factor(schedule: str, step: int, n_steps: int) -> float:
    """Return what the learning rate is multiplied with at `step` of `n_steps`, in (0, 1].

    It depends on the step alone, so there is no state to store.

    Args:
        schedule: A name of `SCHEDULES`.
        step: The step, from 0.
        n_steps: How many there are.
    """
    factor: float = load(SCHEDULES[schedule].function)(step, n_steps)
    return factor


def constant_factor(step: int, n_steps: int) -> float:
    """Return 1 at every step."""
    del step, n_steps
    return 1.0


def one_cycle_factor(step: int, n_steps: int) -> float:
    """Return a rise to 1 over the first steps and a fall to nearly nothing.

    Source:
        Smith and Topin, "Super-Convergence", 2018, arXiv:1708.07120, with half cosines.
    """
    peak = max(_WARM_UP_SHARE * n_steps, 1.0)
    low = 1 / _START_DIVISOR
    if step < peak:
        return _half_cosine(low, 1.0, step / peak)
    return _half_cosine(1.0, low / _END_DIVISOR, (step - peak) / max(n_steps - 1 - peak, 1.0))


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
