"""A network that looks for each animal in each patch of a frame, and at the frame as a whole."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from finding_nemo.core.errors import SettingsError
from finding_nemo.models.networks.patch_heads import PatchHeads


def patch_features(backbone: Any, pixels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Return a timm network's features of each patch, (images, patches, features).

    Convolutions give them as maps, windowed transformers as maps with the features last, plain
    transformers as tokens behind a few that belong to no patch.
    """
    features: torch.Tensor = backbone.forward_features(pixels)
    if features.ndim == 3:
        return features[:, getattr(backbone, "num_prefix_tokens", 0) :]
    if features.shape[1] == backbone.num_features:
        return features.flatten(2).transpose(1, 2)
    return features.flatten(1, 2)


@torch.inference_mode()
def patch_grid(backbone: Any, *, width_px: int, height_px: int) -> tuple[int, int]:  # noqa: ANN401
    """Return rows and columns of a timm network's patches for frames of a size.

    Raises:
        SettingsError: If the network has no patches.
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


class PatchNetwork(nn.Module):
    """A timm network that is trained together with heads on its patches.

    Boxes, where there are any, teach the heads where; prediction needs none. Batch normalisation
    keeps its ImageNet statistics, while its weights learn, so that a frame's logits never depend
    on the frames trained beside it (decision 0007).

    Takes normalised pixels (images, 3, height, width); gives what `PatchHeads` gives.
    """

    def __init__(self, backbone: nn.Module, heads: PatchHeads, *, dropout: float) -> None:
        """Join them.

        Args:
            backbone: A timm network.
            heads: On its features.
            dropout: Share of features dropped at each training step.
        """
        super().__init__()
        self.backbone: Any = backbone
        self.dropout = nn.Dropout(dropout)
        self.heads = heads

    def train(self, mode: bool = True) -> Self:
        """Train or not; batch normalisation keeps its statistics in either case."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits, with those of each patch while training."""
        return self.with_features(pixels)[0]

    def with_features(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what `forward` gives, and the features' mean over patches (images, features)."""
        features = self.dropout(patch_features(self.backbone, pixels))
        mean = features.mean(dim=1)
        return self.heads(mean, features), mean
