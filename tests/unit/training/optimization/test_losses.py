"""The losses that teach patches."""

from __future__ import annotations

import math

import pytest
import torch

from finding_nemo.training.optimization.losses import (
    UNKNOWN,
    image_and_patch_loss,
    patch_loss,
    summed_bce_loss,
)


def slow_patch_loss(logits: torch.Tensor, targets: torch.Tensor) -> float:
    total, present = 0.0, 0
    for logit, target in zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True):
        if target == UNKNOWN:
            continue
        p = 1 / (1 + math.exp(-logit))
        right = p if target else 1 - p
        total += -(1 - right) * math.log(right)
        present += target > 0
    return total / max(present, len(logits))


def test_place_loss__of_one_undecided_place_is_half_log_two() -> None:
    loss = patch_loss(torch.zeros(1, 1), torch.ones(1, 1))
    assert float(loss) == pytest.approx(0.5 * math.log(2))


@pytest.mark.parametrize("seed", range(5))
def test_place_loss__equals_the_definition_written_out(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(3, 12, generator=generator)
    targets = torch.randint(-1, 2, (3, 12), generator=generator).float()
    assert float(patch_loss(logits, targets)) == pytest.approx(
        slow_patch_loss(logits, targets), rel=1e-5
    )


def test_place_loss__learns_nothing_from_the_unknown() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    patch_loss(logits, torch.full((2, 3), UNKNOWN)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert float(logits.grad.abs().sum()) == 0


def test_image_and_place_loss__is_the_sum_of_both() -> None:
    outputs, targets = torch.randn(2, 8), torch.randint(0, 2, (2, 8)).float()
    global_logits = summed_bce_loss(outputs[:, :2], targets[:, :2])
    patches = patch_loss(outputs[:, 2:], targets[:, 2:])
    loss = image_and_patch_loss(2, 3.0)
    torch.testing.assert_close(loss(outputs, targets), global_logits + 3 * patches)
    torch.testing.assert_close(loss(outputs[:, :2], targets[:, :2]), global_logits)
