"""A network that looks for each animal in each patch of a frame, and at the frame as a whole."""

from __future__ import annotations

import math
from typing import Any, Self

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from finding_nemo.core.errors import SettingsError
from finding_nemo.models.networks.patch_heads import PatchHeads
from finding_nemo.models.networks.with_features import Grid, as_maps

# Of a patch, or of patches that were merged.
_STRIDES_PX = (4, 8, 14, 16, 28, 32, 64)


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
def patch_grid(backbone: Any, *, width_px: int, height_px: int) -> Grid:  # noqa: ANN401
    """Return rows and columns of a timm network's patches for frames of a size.

    Raises:
        SettingsError: If the network has no patches.
    """
    backbone.eval()
    features = backbone.forward_features(torch.zeros(1, 3, height_px, width_px))
    if isinstance(features, torch.Tensor) and features.ndim == 3:
        n_patches = features.shape[1] - getattr(backbone, "num_prefix_tokens", 0)
        grid = _grid_of_tokens(backbone, n_patches, (height_px, width_px))
        if grid is not None:
            return grid
    if not isinstance(features, torch.Tensor) or features.ndim != 4:
        gives = f"of shape {tuple(features.shape)}" if hasattr(features, "shape") else "in parts"
        raise SettingsError(
            f"The backbone gives features {gives}, which have no rows and columns; take a "
            "convolutional network or a transformer over patches, or recipe probe."
        )
    first = 2 if features.shape[1] == backbone.num_features else 1
    return int(features.shape[first]), int(features.shape[first + 1])


def _grid_of_tokens(backbone: Any, n_patches: int, frame_px: Grid) -> Grid | None:  # noqa: ANN401
    """Return rows and columns of tokens, as the network knows them or their number says."""
    known = getattr(getattr(backbone, "patch_embed", None), "grid_size", None)
    if known is not None and math.prod(known) == n_patches:
        rows, columns = known
        return int(rows), int(columns)
    # Networks that merge patches on the way up keep no account of the last grid.
    for stride in _STRIDES_PX:
        rows, columns = (math.ceil(side / stride) for side in frame_px)
        if rows * columns == n_patches:
            return rows, columns
    return None


@torch.inference_mode()
def averaged_grid(backbone: Any, *, width_px: int, height_px: int) -> Grid | None:  # noqa: ANN401
    """Return rows and columns of the feature map whose mean over cells a network's features are.

    Tried on a frame of noise, not read off the network's kind: pooling has many names.

    Returns:
        `None` where they are anything else, such as those of a class token.
    """
    if not (hasattr(backbone, "forward_features") and hasattr(backbone, "forward_head")):
        return None
    backbone.eval()
    noise = torch.rand(1, 3, height_px, width_px, generator=torch.Generator().manual_seed(0))
    cells = backbone.forward_features(noise)
    features = backbone(noise)
    if cells.ndim != 4 or cells.shape[1] != features.shape[1]:
        return None
    if not torch.allclose(cells.mean(dim=(2, 3)), features, rtol=1e-4, atol=1e-5):
        return None
    return int(cells.shape[2]), int(cells.shape[3])


class PatchNetwork(nn.Module):
    """A timm network that is trained together with heads on its patches.

    Boxes, where there are any, teach the heads where; prediction needs none. Batch normalisation
    keeps its ImageNet statistics, while its weights learn, so that a frame's logits never depend
    on the frames trained beside it (decision 0007).

    Takes normalised pixels (images, 3, height, width); gives what `PatchHeads` gives.
    """

    def __init__(
        self, backbone: nn.Module, heads: PatchHeads, *, dropout: float, grid: Grid | None = None
    ) -> None:
        """Join them.

        Args:
            backbone: A timm network.
            heads: On its features.
            dropout: Share of features dropped at each training step.
            grid: Rows and columns of its patches; without them it gives no maps.
        """
        super().__init__()
        self.map_grid = grid
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

    def with_maps(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, features, and what each patch says, as `GivesMaps` has it."""
        features = self.dropout(patch_features(self.backbone, pixels))
        mean = features.mean(dim=1)
        logits, patch_logits = self.heads.with_patch_logits(mean, features)
        return logits, mean, as_maps(patch_logits, self.map_grid)
