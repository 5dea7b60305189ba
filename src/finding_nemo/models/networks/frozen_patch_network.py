"""Heads on the patches of a network that is not trained, whose features are computed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.arrays import AnyFloats, Float32s, Float64s
from finding_nemo.models.networks.patch_heads import PatchHeads
from finding_nemo.models.networks.patch_network import patch_features
from finding_nemo.models.networks.with_features import Grid, as_maps

# Features of drawn frames at 768 x 544 had standard deviations from 0.00002 of their median up:
# logits were in the thousands, and no probability could be fitted to them. On TrashCan the least is
# 0.057 of the mean, so nothing changes there.
_LEAST_SHARE = 0.05
_LEAST_STD = 1e-6


def scale_of(std: AnyFloats) -> Float64s:
    """Return what features are divided by: their standard deviation, or a little where it is less.

    A feature that hardly any training frame has, behind a ReLU that stays shut, would be divided by
    almost nothing; the first frame that has it would then be judged by nothing else.

    Args:
        std: Standard deviation of each feature over training frames, 0 or more, shape (features,).

    Returns:
        The same, but at least a twentieth of their mean, and above 0.
    """
    std = std.astype(np.float64)
    return np.maximum(std, max(_LEAST_SHARE * float(std.mean()), _LEAST_STD))


@dataclass(frozen=True)
class PatchSpread:
    """Where the features of training frames lie, and how widely.

    Attributes:
        mean: Of each feature over frames.
        std: Of a frame's mean of each feature, as `scale_of` has it.
        patch_std: Of what a patch has beside its frame's mean, likewise.
    """

    mean: Float32s
    std: Float32s
    patch_std: Float32s


def spread_of(frames: Iterable[npt.NDArray[np.floating[Any]]]) -> PatchSpread:
    """Return the spread of the features of frames, each (patches, features).

    One frame is looked at after the other: the features of 512 frames at once are gigabytes.
    """
    means, n_patches = [], 0
    total, squares = np.float64(0.0), np.float64(0.0)
    for frame in frames:
        mean = frame.mean(axis=0, dtype=np.float64)
        beside = frame - mean.astype(np.float32)
        means.append(mean)
        n_patches += len(frame)
        total = total + beside.sum(axis=0, dtype=np.float64)
        squares = squares + np.square(beside, dtype=np.float64).sum(axis=0)
    of_frames = np.stack(means)
    variance = np.maximum(squares / n_patches - np.square(total / n_patches), 0.0)
    return PatchSpread(
        of_frames.mean(axis=0).astype(np.float32),
        scale_of(of_frames.std(axis=0)).astype(np.float32),
        scale_of(np.sqrt(variance)).astype(np.float32),
    )


class FrozenPatchHeads(nn.Module):
    """Heads on stored features of a frame's patches, (images, patches, features).

    The whole frame is its features' mean; a patch is what it has beside that mean. What all patches
    of a frame share is the water, the lamps and the vehicle, which are others on the next dive.
    Both are brought to a standard deviation of 1. A feature that dropout takes is gone from all
    patches of a frame: from single patches it would be found again in the next one.

    Gives what `PatchHeads` gives.
    """

    def __init__(self, heads: PatchHeads, spread: PatchSpread, *, dropout: float) -> None:
        """Build them.

        Args:
            heads: On standardised features.
            spread: Of the training frames' features.
            dropout: Share of features dropped at each training step, for either head apart.
        """
        super().__init__()
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.patch_std: torch.Tensor
        self.register_buffer("mean", torch.from_numpy(spread.mean))
        self.register_buffer("std", torch.from_numpy(spread.std))
        self.register_buffer("patch_std", torch.from_numpy(spread.patch_std))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits, with those of each patch while training."""
        return self.with_features(features)[0]

    def with_features(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what `forward` gives, and the features' mean over patches (images, features)."""
        frame, patches, mean = self._apart(features)
        return self.heads(frame, patches), mean

    def with_patch_logits(
        self, features: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, the mean over patches, and logits (images, patches, categories)."""
        frame, patches, mean = self._apart(features)
        logits, patch_logits = self.heads.with_patch_logits(frame, patches)
        return logits, mean, patch_logits

    def _apart(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what the frame shows, what each patch has beside it, and the plain mean."""
        mean = features.mean(dim=1)
        patches = (features - mean[:, None]) / self.patch_std
        if self.training:
            patches = patches * self.dropout(torch.ones_like(mean))[:, None]
        frame = self.dropout((mean - self.mean) / self.std)
        return frame, patches, mean


class PatchFeatures(nn.Module):
    """A timm network's features of each patch, as a network of its own."""

    def __init__(self, backbone: nn.Module) -> None:
        """Wrap it."""
        super().__init__()
        self.backbone: Any = backbone

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (images, patches, features) of normalised pixels (images, 3, height, width)."""
        return patch_features(self.backbone, pixels)


class FrozenPatchNetwork(nn.Module):
    """`PatchFeatures` and `FrozenPatchHeads`: from preprocessed pixels to logits."""

    def __init__(
        self, patches: PatchFeatures, heads: FrozenPatchHeads, *, grid: Grid | None = None
    ) -> None:
        """Join them; without the rows and columns of the patches it gives no maps."""
        super().__init__()
        self.map_grid = grid
        self.patches = patches
        self.heads = heads

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        return self.with_features(pixels)[0]

    def with_features(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, categories) and the features' mean (images, features)."""
        return self.heads.with_features(self.patches(pixels))

    def with_maps(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits, features, and what each patch says, as `GivesMaps` has it."""
        logits, mean, patch_logits = self.heads.with_patch_logits(self.patches(pixels))
        return logits, mean, as_maps(patch_logits, self.map_grid)
