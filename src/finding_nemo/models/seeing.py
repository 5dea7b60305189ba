"""A network that looks for each animal in each place of a frame, and at the frame as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

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


@dataclass(frozen=True)
class Judgement:
    """How a trained network's two heads are weighed in prediction.

    Attributes:
        whole_share: What the frame as a whole weighs beside its places; 1 as in training.
        strongest_places: The mean of so many places speaks for all; 0 for the soft maximum over
            all of them, as in training.
    """

    whole_share: float
    strongest_places: int


AS_TRAINED = Judgement(whole_share=1.0, strongest_places=0)


class SmallAnimalNetwork(nn.Module):
    """A timm network with two heads, whose logits are added.

    One looks at the mean over the frame, one at each place. An animal a few pixels wide fills one
    place and vanishes in a mean over hundreds: the second head takes the log-sum-exp over places,
    a soft maximum. Boxes, where there are any, teach it where; prediction needs none.

    Training needs both heads in full: the mean learns what has no box, and the soft maximum sends
    every place its share of the lesson. But what the frame as a whole says is mostly what its dive
    looked like, and a soft maximum over hundreds of places adds up what none of them says clearly.
    On a new dive both mislead, so prediction weighs the heads anew (`Judgement`). Batch
    normalisation keeps its ImageNet statistics, while its weights learn, so that a frame's logits
    never depend on the frames trained beside it (decision 0007).

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
        judgement: Judgement = AS_TRAINED,
    ) -> None:
        """Build the heads; the network starts at class frequency.

        Args:
            backbone: A timm network.
            prior: Share of training images that hold each category, in (0, 1).
            n_features: Width of the backbone's features.
            dropout: Share of features dropped at each training step.
            judgement: How the heads are weighed in evaluation mode.
        """
        super().__init__()
        n_categories = len(prior)
        self.backbone: Any = backbone
        self.dropout = nn.Dropout(dropout)
        self.judgement = judgement
        self.whole = nn.Linear(n_features, n_categories)
        self.places = nn.Linear(n_features, n_categories)
        self.trust = nn.Parameter(torch.ones(n_categories))
        nn.init.zeros_(self.whole.weight)
        nn.init.normal_(self.places.weight, std=0.01)
        nn.init.constant_(self.places.bias, _EMPTY_PLACE_LOGIT)
        with torch.no_grad():
            self.whole.bias.copy_(torch.from_numpy(np.log(prior / (1 - prior))))

    def train(self, mode: bool = True) -> Self:
        """Train or not; batch normalisation keeps its statistics in either case."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, _BatchNorm):
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
        judgement = AS_TRAINED if self.training else self.judgement
        spoken = _of_all_places(places.float(), judgement.strongest_places)
        logits = judgement.whole_share * self.whole(mean)
        logits = logits + self.trust * (spoken - _EMPTY_PLACE_LOGIT)
        if judgement.strongest_places:
            # The clearest of many places speak up in empty frames too: without this, raw
            # probabilities are off by 0.23, with it by 0.01 (docs/experiments.md).
            logits = logits + _EMPTY_PLACE_LOGIT
        if not self.training:
            return logits, mean
        return torch.cat([logits, places.flatten(1)], dim=1), mean


def _of_all_places(places: torch.Tensor, strongest: int) -> torch.Tensor:
    """Return one logit a category, (images, categories), of (images, places, categories)."""
    n_places = places.shape[1]
    if not strongest:
        return torch.logsumexp(places, dim=1) - math.log(n_places)
    return places.topk(min(strongest, n_places), dim=1).values.mean(dim=1)
