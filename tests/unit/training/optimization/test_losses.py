"""The losses that teach patches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from finding_nemo.training.optimization.losses import (
    UNKNOWN,
    image_and_patch_loss,
    patch_loss,
    squared_error_loss,
    summed_bce_loss,
    without_related_negatives,
)

# Of three categories the first stands above the second.
RELATED = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=np.bool_)


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


def test_related_negatives__of_one_frame_as_worked_by_hand() -> None:
    loss = without_related_negatives(summed_bce_loss, RELATED, "sigmoid")
    outputs = torch.zeros(1, 3, requires_grad=True)
    # The second is there, so the first is unknown: log 2 for the second and for the third.
    found = loss(outputs, torch.tensor([[0.0, 1.0, 0.0]]))
    assert float(found.detach()) == pytest.approx(2 * math.log(2))
    found.backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    assert outputs.grad.tolist() == [[0.0, -0.5, 0.5]]
    # Both are labelled: nothing is unknown. Neither is: both are negatives.
    for truth in ([1.0, 1.0, 0.0], [0.0, 0.0, 1.0]):
        targets = torch.tensor([truth])
        assert float(loss(torch.zeros(1, 3), targets)) == pytest.approx(3 * math.log(2))


def test_related_negatives__of_bare_probabilities_add_nothing() -> None:
    loss = without_related_negatives(squared_error_loss, RELATED, "clip")
    outputs = torch.tensor([[0.9, 0.4, 0.3]])
    # (0.4 - 1)^2 + 0.3^2, over three categories
    found = loss(outputs, torch.tensor([[0.0, 1.0, 0.0]]))
    assert float(found) == pytest.approx((0.36 + 0.09) / 3)


@pytest.mark.parametrize("seed", range(5))
def test_related_negatives__in_frames_and_patches_equal_the_definition_written_out(
    seed: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    outputs = 2 * torch.randn(4, 3 * 5, generator=generator)
    targets = torch.randint(0, 2, (4, 15), generator=generator).float()
    targets[:, 3:] = torch.where(
        torch.rand(4, 12, generator=generator) < 0.2, UNKNOWN, targets[:, 3:]
    )
    unknown = targets.clone()
    for image in range(4):
        for where in range(5):
            for i in range(3):
                own = targets[image, 3 * where + i]
                relatives = [targets[image, 3 * where + j] for j in range(3) if RELATED[i, j]]
                if own == 0 and any(value != 0 for value in relatives):
                    unknown[image, 3 * where + i] = UNKNOWN
    frames, patches = unknown[:, :3], unknown[:, 3:]
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        outputs[:, :3], frames.clamp_min(0), reduction="none"
    )
    slow = float((losses * (frames != UNKNOWN)).sum() / 4)
    slow += 2 * slow_patch_loss(outputs[:, 3:], patches)
    loss = without_related_negatives(image_and_patch_loss(3, 2.0), RELATED, "sigmoid")
    assert float(loss(outputs, targets)) == pytest.approx(slow, rel=1e-5)
