"""Losses over a batch: lower is better, always a mean over images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from finding_nemo.core.arrays import Bools
from finding_nemo.core.errors import TrainingError
from finding_nemo.core.names.registries import load
from finding_nemo.training.recipes.loop_choices import LOSSES

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


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss, and what outputs mean once it is small.

    Attributes:
        loss: What is made small.
        activation: From outputs to probabilities: "sigmoid" of logits, or "clip" to [0, 1] of what
            was trained to be a probability itself.
    """

    loss: Loss
    activation: Literal["sigmoid", "clip"]


class _Objectives(Mapping[str, Objective]):
    """The table of losses with their functions, also those that were registered later."""

    def __getitem__(self, name: str) -> Objective:
        row = LOSSES[name]
        loss = load(row.function)
        return Objective(_checked(loss, name) if name in LOSSES.added else loss, row.activation)

    def __iter__(self) -> Iterator[str]:
        return iter(LOSSES)

    def __len__(self) -> int:
        return len(LOSSES)


def _checked(loss: Loss, name: str) -> Loss:
    """Return a person's loss, which must give what the loop can take."""

    def checked(outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        value: object = loss(outputs, truth)
        if not isinstance(value, torch.Tensor) or value.ndim or not value.is_floating_point():
            shape = f" of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else ""
            raise TrainingError(
                f"The loss {name!r} returned a {type(value).__name__}{shape}; it must return one "
                "number as a torch tensor: the mean over the images of the batch."
            )
        return value

    return checked


OBJECTIVES: Mapping[str, Objective] = _Objectives()

# Of targets: nobody knows whether it is there.
UNKNOWN = -1.0

# Outputs whose loss and gradient at target 0 are nothing: logits, or probabilities themselves.
_SURELY_ABSENT: Mapping[str, float] = {"sigmoid": -60.0, "clip": 0.0}


def without_related_negatives(
    loss: Loss, related: Bools, activation: Literal["sigmoid", "clip"]
) -> Loss:
    """Return `loss` where the relatives of what is there are no negatives.

    A frame labelled with a species says nothing against the category of its family, nor one
    labelled with the family against the species. Their outputs are taken as right, so that they
    add nothing to the loss and are not changed. The same holds in each patch.

    Args:
        loss: Of outputs and targets.
        related: Whether of two categories one stands above the other, shape (categories,
            categories).
        activation: What the outputs are, as `Objective` has it.
    """
    table = torch.from_numpy(related.astype(np.float32))
    absent = _SURELY_ABSENT[activation]

    def with_unknown(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal table
        table = table.to(targets.device)  # is there already, but for the first batch
        rows = targets.reshape(len(targets), targets.shape[1] // len(table), len(table))
        near = (rows != 0).float() @ table > 0
        is_unknown = (near & (rows == 0)).reshape(targets.shape)
        return loss(outputs.masked_fill(is_unknown, absent), targets)

    return with_unknown


def patch_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return focal cross-entropy over patches for each patch that holds an animal.

    Nearly every patch holds nothing of nearly every category. The focal weight, (1 - p) of the
    right answer, and division by what is there keep that from drowning the rest.

    Args:
        logits: Any shape with images first, any real number.
        targets: Same shape: 0, 1 or `UNKNOWN`, which counts for nothing.

    Source:
        Lin et al., "Focal Loss for Dense Object Detection", 2017, arXiv:1708.02002, gamma 1.
    """
    wrong = functional.binary_cross_entropy_with_logits(
        logits, targets.clamp_min(0), reduction="none"
    )
    share = torch.sigmoid(logits)
    focal = wrong * torch.where(targets > 0, 1 - share, share)
    present = (targets > 0).sum().clamp_min(logits.shape[0])
    return (focal * (targets != UNKNOWN)).sum() / present


def image_and_patch_loss(n_categories: int, patch_loss_weight: float) -> Loss:
    """Return the loss of outputs (images, categories x (1 + patches)): whole images, then patches.

    Where targets have no patches, as in evaluation or without boxes, it is `summed_bce_loss`.

    Args:
        n_categories: Where the outputs of whole images end.
        patch_loss_weight: What the patches weigh beside the images.
    """

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        global_logits = summed_bce_loss(outputs[:, :n_categories], targets[:, :n_categories])
        if targets.shape[1] == n_categories:
            return global_logits
        patches = patch_loss(outputs[:, n_categories:], targets[:, n_categories:])
        return global_logits + patch_loss_weight * patches

    return loss
