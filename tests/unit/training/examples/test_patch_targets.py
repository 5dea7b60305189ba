"""What the patches of a view are taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.plan import WHOLE, Area, AugmentationPlan, ColorJitter, Mark
from finding_nemo.training.examples.patch_targets import patch_coverage, patch_targets
from finding_nemo.training.optimization.losses import UNKNOWN


def plan(marks: tuple[Mark, ...], unplaced: frozenset[int] = frozenset()) -> AugmentationPlan:
    record = ImageRecord("a", Path("a.png"), (3,))
    return AugmentationPlan(record, 0, None, WHOLE, False, ColorJitter(), (), marks, unplaced)


def test_targets__of_one_animal_in_one_quarter() -> None:
    targets = patch_targets(plan((Mark(1, Area(0.0, 0.0, 0.5, 0.5)),)), (2, 2), 3)
    np.testing.assert_array_equal(targets[:3], [0, 1, 0])
    np.testing.assert_array_equal(targets[3:].reshape(4, 3)[:, 1], [1, 0, 0, 0])
    assert targets[3:].sum() == 1


def test_targets__of_what_no_box_places_are_unknown_everywhere() -> None:
    targets = patch_targets(plan((), frozenset({2})), (2, 2), 3)
    np.testing.assert_array_equal(targets[:3], [0, 0, 1])
    np.testing.assert_array_equal(targets[3:].reshape(4, 3)[:, 2], [UNKNOWN] * 4)


def test_covered__small_animal_lies_in_one_place_and_a_long_one_in_several() -> None:
    assert patch_coverage(Area(0.30, 0.30, 0.35, 0.35), (4, 4)).sum() == 1
    np.testing.assert_array_equal(
        patch_coverage(Area(0.0, 0.0, 1.0, 0.1), (4, 4)).sum(axis=1), [4, 0, 0, 0]
    )


@pytest.mark.parametrize("seed", range(20))
def test_covered__equals_counting_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, top = rng.uniform(0, 0.7, 2)
    area = Area(left, top, left + rng.uniform(0.02, 0.3), top + rng.uniform(0.02, 0.3))
    rows, columns, fine = 3, 5, 400
    y, x = np.mgrid[0 : rows * fine, 0 : columns * fine] + 0.5
    inside = (
        (x / (columns * fine) > area.left)
        & (x / (columns * fine) < area.right)
        & (y / (rows * fine) > area.top)
        & (y / (rows * fine) < area.bottom)
    )
    counts = inside.reshape(rows, fine, columns, fine).sum(axis=(1, 3))
    shares = np.maximum(counts / fine**2, counts / counts.sum())
    sure = np.abs(shares - 0.3) > 0.01
    np.testing.assert_array_equal(patch_coverage(area, (rows, columns))[sure], (shares > 0.3)[sure])
