"""What the heads of a network that looks at places are taught by one view."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.training.augmentation.plan import Area, View
from finding_nemo.training.optimization.losses import UNKNOWN

_LEAST_SHARE = 0.3


def view_targets(view: View, grid: tuple[int, int], n_categories: int) -> npt.NDArray[np.float32]:
    """Return what is in a view, and where.

    Args:
        view: With its animals.
        grid: Rows and columns of the network's places.
        n_categories: Columns of the truth.

    Returns:
        Float32 (categories x (1 + places),): 0 or 1 for the view, then for each place, row by
        row. A category that is present but that no box places is `UNKNOWN` in every place.
    """
    whole = np.zeros(n_categories, dtype=np.float32)
    places = np.zeros((*grid, n_categories), dtype=np.float32)
    for mark in view.marks:
        whole[mark.column] = 1
        places[:, :, mark.column] = np.maximum(places[:, :, mark.column], covered(mark.area, grid))
    for column in view.unplaced:
        whole[column] = 1
        places[:, :, column] = UNKNOWN
    return np.concatenate([whole, places.reshape(-1)])


def covered(area: Area, grid: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return which places an area fills, or lies in, by three tenths; bool (rows, columns)."""
    rows, columns = grid
    down = _overlaps(area.top * rows, area.bottom * rows, rows)
    across = _overlaps(area.left * columns, area.right * columns, columns)
    of_place = down[:, None] * across[None, :]
    of_area = of_place / max(area.size * rows * columns, 1e-9)
    return np.asarray(np.maximum(of_place, of_area) > _LEAST_SHARE)


def _overlaps(start: float, end: float, n_places: int) -> npt.NDArray[np.float64]:
    edges = np.arange(n_places)
    inside = np.minimum(edges + 1, end) - np.maximum(edges, start)
    return np.asarray(np.clip(inside, 0, 1), dtype=np.float64)
