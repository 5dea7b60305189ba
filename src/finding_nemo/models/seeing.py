"""A network that looks for each animal in each place of a frame, and at the frame as a whole."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.errors import SettingsError

# What a place says of a category before training: about one place in 55 holds it.
_EMPTY_PLACE_LOGIT = -4.0


def place_features(backbone: Any, pixels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Return a timm network's features of each place, (images, places, features).

    Convolutions give them as maps, windowed transformers as maps with the features last, plain
    transformers as tokens behind a few that belong to no place.
    """
    features: torch.Tensor = backbone.forward_features(pixels)
    if features.ndim == 3:
        return features[:, getattr(backbone, "num_prefix_tokens", 0) :]
    if features.shape[1] == backbone.num_features:
        return features.flatten(2).transpose(1, 2)
    return features.flatten(1, 2)


@torch.inference_mode()
def place_grid(backbone: Any, *, width_px: int, height_px: int) -> tuple[int, int]:  # noqa: ANN401
    """Return rows and columns of a timm network's places for frames of a size.

    Raises:
        SettingsError: If the network has no places.
    """
    backbone.eval()
    features = backbone.forward_features(torch.zeros(1, 3, height_px, width_px))
    if features.ndim == 3 and hasattr(backbone, "patch_embed"):
        rows, columns = backbone.patch_embed.grid_size
        return int(rows), int(columns)
    if features.ndim != 4:
        raise SettingsError(
            f"The backbone gives features of shape {tuple(features.shape)}, which have no rows and "
            "columns; take a convolutional network or a transformer over patches."
        )
    first = 2 if features.shape[1] == backbone.num_features else 1
    return int(features.shape[first]), int(features.shape[first + 1])


class SmallAnimalNetwork(nn.Module):
    """A timm network with two heads, whose logits are added.

    One looks at the mean over the frame, one at each place. An animal a few pixels wide fills one
    place and vanishes in a mean over hundreds: the second head takes the log-sum-exp over places,
    a soft maximum. Boxes, where there are any, teach it where; prediction needs none. Batch
    normalisation keeps its ImageNet statistics, so that a frame's logits never depend on the
    frames trained beside it.

    Takes normalised pixels (images, 3, height, width). In evaluation mode it gives logits
    (images, categories); while training (images, categories x (1 + places)): the same logits,
    then those of each place.

    Source:
        Pinheiro and Collobert, "From Image-level to Pixel-level Labeling with Convolutional
        Networks", 2015, arXiv:1411.6228, for log-sum-exp over places.
    """

    def __init__(
        self,
        backbone: nn.Module,
        prior: npt.NDArray[np.float64],
        *,
        n_features: int,
        dropout: float,
    ) -> None:
        """Build the heads; the network starts at class frequency.

        Args:
            backbone: A timm network.
            prior: Share of training images that hold each category, in (0, 1).
            n_features: Width of the backbone's features.
            dropout: Share of features dropped at each training step.
        """
        super().__init__()
        n_categories = len(prior)
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.whole = nn.Linear(n_features, n_categories)
        self.places = nn.Linear(n_features, n_categories)
        self.trust = nn.Parameter(torch.ones(n_categories))
        nn.init.zeros_(self.whole.weight)
        nn.init.normal_(self.places.weight, std=0.01)
        nn.init.constant_(self.places.bias, _EMPTY_PLACE_LOGIT)
        with torch.no_grad():
            self.whole.bias.copy_(torch.from_numpy(np.log(prior / (1 - prior))))

    def train(self, mode: bool = True) -> SmallAnimalNetwork:
        """Set the mode; batch normalisation stays in evaluation mode."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits, with those of each place while training."""
        return self.with_features(pixels)[0]

    def with_features(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what `forward` gives, and the features' mean over places (images, features)."""
        features = self.dropout(place_features(self.backbone, pixels))
        mean = features.mean(dim=1)
        places = self.places(features)
        n_places = features.shape[1]
        soft_maximum = torch.logsumexp(places.float(), dim=1) - math.log(n_places)
        logits: torch.Tensor = self.whole(mean) + self.trust * (soft_maximum - _EMPTY_PLACE_LOGIT)
        if not self.training:
            return logits, mean
        return torch.cat([logits, places.flatten(1)], dim=1), mean
