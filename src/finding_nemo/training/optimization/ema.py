"""A running average of a network's weights, which is judged and kept in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn


class ExponentialMovingAverage:
    """An exponential average of the weights that are trained.

    The average of many steps generalises better than the last step: a batch of one dive no longer
    decides. Early on it follows the weights faster, so that it does not remember the start.

    Source:
        Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992; the
        warm-up min(decay, (1 + step) / (10 + step)) as TensorFlow has it.
    """

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        """Begin with the weights as they are; with `decay` 0 nothing is averaged or kept."""
        self._network = network
        self._decay = decay
        self.tensors: dict[str, torch.Tensor] = {
            name: parameter.detach().clone()
            for name, parameter in network.named_parameters()
            if decay and parameter.requires_grad
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step `step`, counted from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, ema in self.tensors.items():
            ema.lerp_(self._network.get_parameter(name), 1 - decay)

    def load(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Go on from stored averages."""
        for name, ema in self.tensors.items():
            ema.copy_(tensors[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the network, and the weights back at the end."""
        kept = {name: self._network.get_parameter(name).detach().clone() for name in self.tensors}
        self._put(self.tensors)
        try:
            yield
        finally:
            self._put(kept)

    @torch.no_grad()
    def _put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in tensors.items():
            self._network.get_parameter(name).copy_(tensor)
