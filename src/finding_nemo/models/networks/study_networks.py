"""The study's two networks on raw pixels, and the head of `probe`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.models.networks.with_features import Grid, as_maps

_STUDY_HIDDEN = (1024, 512, 256, 128)


def linear_on_pixels(n_pixels: int, n_categories: int) -> nn.Module:
    """Return the study's logistic regression: one linear layer on raw pixels."""
    return nn.Sequential(nn.Flatten(), nn.Linear(n_pixels, n_categories))


def basic_network(n_pixels: int, n_categories: int) -> nn.Module:
    """Return the study's basic network: hidden layers 1024, 512, 256, 128 with ReLU."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = n_pixels
    for hidden in _STUDY_HIDDEN:
        layers += [nn.Linear(width, hidden), nn.ReLU()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, n_categories))


class LinearProbe(nn.Module):
    """A linear head on standardised, frozen features.

    It starts at class frequency: weights 0, bias log(p / (1 - p)), so that rare categories
    need not first be pushed down.

    Takes features (images, n); gives logits (images, categories).
    """

    def __init__(
        self,
        mean: npt.NDArray[np.float32],
        std: npt.NDArray[np.float32],
        prior: npt.NDArray[np.float64],
        *,
        dropout: float,
    ) -> None:
        """Build the head.

        Args:
            mean: Of each feature over the training images.
            std: Of each feature over the training images, above 0.
            prior: Share of training images that hold each category, in (0, 1).
            dropout: Share of features dropped at each training step.
        """
        super().__init__()
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("std", torch.from_numpy(std))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(len(mean), len(prior))
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.linear.bias.copy_(torch.from_numpy(np.log(prior / (1 - prior))))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        standardised = (features - self.mean) / self.std
        logits: torch.Tensor = self.linear(self.dropout(standardised))
        return logits

    def with_features(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits and the features as they came."""
        return self(features), features


class ProbeNetwork(nn.Sequential):
    """A frozen backbone and its head: from preprocessed pixels to logits.

    Where the backbone's features are the mean of a feature map over its cells, the head says of
    each cell what it says of the mean, and the mean of what it says is the frame's logit: an exact
    class activation map.
    """

    def __init__(self, backbone: nn.Module, head: LinearProbe, *, grid: Grid | None = None) -> None:
        """Join them.

        Args:
            backbone: Gives features (images, n).
            head: On these.
            grid: What `averaged_grid` found; without it the network gives no maps.
        """
        super().__init__(backbone, head)
        self.map_grid = grid

    def with_features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, categories) and the backbone's features (images, features)."""
        features: torch.Tensor = self[0](images)
        return self[1](features), features

    def with_maps(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, features, and what each cell says, as `GivesMaps` has it."""
        backbone: Any = self[0]
        cells: torch.Tensor = backbone.forward_features(images)
        features: torch.Tensor = backbone.forward_head(cells)
        patch_logits = self[1](cells.flatten(2).transpose(1, 2))
        return self[1](features), features, as_maps(patch_logits, self.map_grid)
