"""Logits, the pooled features that they come from, and maps of them, of any network."""

from __future__ import annotations

from typing import Protocol, TypeGuard, runtime_checkable

import torch
from torch import nn

# Wider "features" are the pixels themselves (the study's linear layer): no space to measure in.
MOST_FEATURES = 8192

# Rows and columns.
Grid = tuple[int, int]


@runtime_checkable
class GivesFeatures(Protocol):
    """A network that gives its features itself, because no linear layer takes them."""

    def with_features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, categories) and pooled features (images, features)."""
        ...


@runtime_checkable
class GivesMaps(GivesFeatures, Protocol):
    """A network whose logits rest on what each cell of a grid over the frame says.

    Attributes:
        map_grid: Rows and columns of the grid; `None` where the network knows none.
    """

    map_grid: Grid | None

    def with_maps(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, pooled features, and patch logits (images, categories, rows, columns)."""
        ...


class WithMaps(nn.Module):
    """A network that gives logits, features and patch logits; it shares the weights of `network`.

    Source:
        Zhou et al., "Learning Deep Features for Discriminative Localization", 2016,
        arXiv:1512.04150, for class activation maps.
    """

    def __init__(self, network: GivesMaps) -> None:
        """Wrap `network`, which has a grid."""
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, features and patch logits (images, categories, rows, columns)."""
        return self.network.with_maps(images)


def as_maps(patch_logits: torch.Tensor, grid: Grid | None) -> torch.Tensor:
    """Return (images, categories, rows, columns) of (images, patches, categories).

    Raises:
        ValueError: If the rows and columns are not known.
    """
    if grid is None:
        raise ValueError("the network was built without the rows and columns of its patches")
    return torch.unflatten(patch_logits, 1, grid).permute(0, 3, 1, 2)


def has_maps(network: nn.Module) -> TypeGuard[GivesMaps]:
    """Return whether `WithMaps` can give patch logits of it."""
    return isinstance(network, GivesMaps) and network.map_grid is not None


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
