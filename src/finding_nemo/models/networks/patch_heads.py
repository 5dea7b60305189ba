"""Two heads whose logits are added: one for the frame as a whole, one for each of its patches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

# What a patch says of a category before training: about one patch in 55 holds it.
_EMPTY_PATCH_LOGIT = -4.0


@dataclass(frozen=True)
class PoolingConfig:
    """How two trained heads are weighed in prediction.

    Attributes:
        global_weight: What the frame as a whole weighs beside its patches; 1 as in training.
        top_k_patches: The mean of so many patches speaks for all; 0 for the soft maximum over
            all of them, as in training.
    """

    global_weight: float
    top_k_patches: int


TRAINING_POOLING = PoolingConfig(global_weight=1.0, top_k_patches=0)


class PatchHeads(nn.Module):
    """A linear head on what the whole frame shows, and one on each patch.

    An animal a few pixels wide fills one patch and vanishes in a mean over hundreds: the second
    head takes the log-sum-exp over patches, a soft maximum.

    Training needs both in full: the mean learns what has no box, and the soft maximum sends every
    patch its share of the gradient. But what the frame as a whole says is mostly what its dive
    looked like, and a soft maximum over hundreds of patches adds up what none of them says clearly.
    On a new dive both mislead, so prediction weighs the heads anew (`PoolingConfig`).

    In evaluation mode it gives logits (images, categories); while training (images, categories x
    (1 + patches)): the same logits, then those of each patch.

    Source:
        Pinheiro and Collobert, "From Image-level to Pixel-level Labeling with Convolutional
        Networks", 2015, arXiv:1411.6228, for log-sum-exp over patches.
    """

    def __init__(
        self,
        prior: npt.NDArray[np.float64],
        *,
        n_features: int,
        pooling: PoolingConfig = TRAINING_POOLING,
    ) -> None:
        """Build the heads, which start at class frequency.

        Args:
            prior: Share of training images that hold each category, in (0, 1).
            n_features: Width of what either head takes.
            pooling: How the heads are weighed in evaluation mode.
        """
        super().__init__()
        n_categories = len(prior)
        self.pooling = pooling
        self.global_head = nn.Linear(n_features, n_categories)
        self.patch_head = nn.Linear(n_features, n_categories)
        self.patch_gain = nn.Parameter(torch.ones(n_categories))
        nn.init.zeros_(self.global_head.weight)
        nn.init.normal_(self.patch_head.weight, std=0.01)
        nn.init.constant_(self.patch_head.bias, _EMPTY_PATCH_LOGIT)
        with torch.no_grad():
            self.global_head.bias.copy_(torch.from_numpy(np.log(prior / (1 - prior))))

    def forward(self, frame: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """Return logits, with those of each patch while training.

        Args:
            frame: What the frame as a whole shows, (images, features).
            patches: What each patch shows, (images, patches, features).
        """
        logits, patch_logits = self.with_patch_logits(frame, patches)
        if not self.training:
            return logits
        return torch.cat([logits, patch_logits.flatten(1)], dim=1)

    def with_patch_logits(
        self, frame: torch.Tensor, patches: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, categories), and of each patch (images, patches, categories)."""
        patch_logits: torch.Tensor = self.patch_head(patches)
        pooling = TRAINING_POOLING if self.training else self.pooling
        pooled = _pool_patches(patch_logits.float(), pooling.top_k_patches)
        logits: torch.Tensor = pooling.global_weight * self.global_head(frame)
        logits = logits + self.patch_gain * (pooled - _EMPTY_PATCH_LOGIT)
        if pooling.top_k_patches:
            # The clearest of many patches speak up in empty frames too: without this, raw
            # probabilities are off by 0.23, with it by 0.01
            # (docs/experiments/0023-pooling-in-prediction.md).
            logits = logits + _EMPTY_PATCH_LOGIT
        return logits, patch_logits


def _pool_patches(patch_logits: torch.Tensor, top_k: int) -> torch.Tensor:
    """Return one logit a category, (images, categories), of (images, patches, categories)."""
    n_patches = patch_logits.shape[1]
    if not top_k:
        return torch.logsumexp(patch_logits, dim=1) - math.log(n_patches)
    return patch_logits.topk(min(top_k, n_patches), dim=1).values.mean(dim=1)
