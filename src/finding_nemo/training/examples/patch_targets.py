"""The targets of a patch network's heads for one augmented view."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.training.augmentation.plan import Area, AugmentationPlan
from finding_nemo.training.optimization.losses import UNKNOWN

_LEAST_SHARE = 0.3


def patch_targets(
    plan: AugmentationPlan, grid: tuple[int, int], n_categories: int
) -> npt.NDArray[np.float32]:
    """Return what is in a view, and where.

    Args:
        plan: With its animals.
        grid: Rows and columns of the network's patches.
        n_categories: Columns of the truth.

    Returns:
        Float32 (categories x (1 + patches),): 0 or 1 for the view, then for each patch, row by
        row. A category that is present but that no box locates is `UNKNOWN` in every patch.
    """
    frame = np.zeros(n_categories, dtype=np.float32)
    patches = np.zeros((*grid, n_categories), dtype=np.float32)
    for mark in plan.marks:
        frame[mark.column] = 1
        patches[:, :, mark.column] = np.maximum(
            patches[:, :, mark.column], patch_coverage(mark.area, grid)
        )
    for column in plan.unplaced:
        frame[column] = 1
        patches[:, :, column] = UNKNOWN
    return np.concatenate([frame, patches.reshape(-1)])


def patch_coverage(area: Area, grid: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which patches an area fills, or lies in, by three tenths; bool (rows, columns)."""
    rows, columns = grid
    down = _overlaps(area.top * rows, area.bottom * rows, rows)
    across = _overlaps(area.left * columns, area.right * columns, columns)
    of_patch = down[:, None] * across[None, :]
    of_area = of_patch / max(area.size * rows * columns, 1e-9)
    return np.asarray(np.maximum(of_patch, of_area) > _LEAST_SHARE)


def _overlaps(start: float, end: float, n_patches: int) -> npt.NDArray[np.float64]:
    edges = np.arange(n_patches)
    inside = np.minimum(edges + 1, end) - np.maximum(edges, start)
    return np.asarray(np.clip(inside, 0, 1), dtype=np.float64)
