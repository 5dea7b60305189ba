"""Logits and the pooled features that they come from, of any network."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import nn

# Wider "features" are the pixels themselves (the study's linear layer): no space to measure in.
MOST_FEATURES = 8192


@runtime_checkable
class GivesFeatures(Protocol):
    """A network that gives its features itself, because no linear layer takes them."""

    def with_features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, categories) and pooled features (images, features)."""
        ...


class WithFeatures(nn.Module):
    """A network that gives logits and features; it shares the weights of the one inside.

    Features are what the network's own `with_features` says, else what its last linear layer
    takes: the pooled features of every network with a linear classifier.
    """

    def __init__(self, network: nn.Module) -> None:
        """Wrap `network`."""
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, categories) and features (images, features)."""
        if isinstance(self.network, GivesFeatures):
            return self.network.with_features(images)
        taken: list[torch.Tensor] = []
        handle = last_linear(self.network).register_forward_pre_hook(
            lambda _, inputs: taken.append(inputs[0])
        )
        try:
            logits = self.network(images)
        finally:
            handle.remove()
        return logits, taken[0]


def last_linear(network: nn.Module) -> nn.Linear:
    """Return the last linear layer.

    Raises:
        ValueError: If there is none.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ValueError(
            f"{type(network).__name__} has no linear layer whose inputs could be its features; "
            "give it a method with_features(images) -> (logits, features)."
        )
    return layers[-1]


def has_features(network: nn.Module) -> bool:
    """Return whether `WithFeatures` can give features that are worth having."""
    if isinstance(network, GivesFeatures):
        return True
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    return bool(layers) and layers[-1].in_features <= MOST_FEATURES
