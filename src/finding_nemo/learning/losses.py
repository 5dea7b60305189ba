"""Losses over a batch: lower is better, always a mean over images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def mean_bce_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return binary cross-entropy averaged over images and categories, as the study took it.

    Args:
        logits: Shape (images, categories), any real number.
        truth: Same shape, 0 or 1 (or between, if smoothed).
    """
    return functional.binary_cross_entropy_with_logits(logits, truth)


def summed_bce_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return binary cross-entropy summed over categories and averaged over images.

    Its size, and so the learning rate that suits it, does not shrink as categories are added.
    """
    total = functional.binary_cross_entropy_with_logits(logits, truth, reduction="sum")
    return total / logits.shape[0]


def squared_error_loss(outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of bare outputs to 0 and 1: the study's basic network."""
    return functional.mse_loss(outputs, truth)


LOSSES: dict[str, Loss] = {
    "mean-bce": mean_bce_loss,
    "summed-bce": summed_bce_loss,
    "squared-error": squared_error_loss,
}
