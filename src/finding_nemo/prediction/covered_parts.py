"""Where in the frame a guess comes from, by covering parts of it: for any network, no gradients.

Source:
    Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014,
    arXiv:1311.2901 (occlusion).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s, Pixels
from finding_nemo.models.inference.pixel_network import PixelNetwork

# Ten windows along either side, each three tenths of it wide, filled with the frame's mean colour:
# the most energy in boxes of five ways (docs/experiments/0041-explanations.md).
GRID = 10
WINDOW = 0.3
_AT_A_TIME = 16


def windows(height: int, width: int, *, grid: int = GRID, share: float = WINDOW) -> Bools:
    """Return what each window covers, shape (grid * grid, height, width), row by row.

    Args:
        height: Of the frame in px.
        width: Of the frame in px.
        grid: Windows along either side; their middles are spread evenly.
        share: How much of either side a window covers.
    """
    down, along = _reaches(height, grid, share), _reaches(width, grid, share)
    both = down[:, np.newaxis, :, np.newaxis] & along[np.newaxis, :, np.newaxis, :]
    return both.reshape(grid * grid, height, width)


def _reaches(length: int, grid: int, share: float) -> Bools:
    """Return which pixels of a side each window reaches, shape (grid, length)."""
    middles = (np.arange(grid) + 0.5) / grid
    pixels = (np.arange(length) + 0.5) / length
    reached: Bools = np.abs(pixels[np.newaxis] - middles[:, np.newaxis]) < share / 2
    return reached


def mean_color(pixels: Pixels) -> Pixels:
    """Return the mean colour of a frame, uint8 (3,)."""
    color: Pixels = np.rint(pixels.mean(axis=(0, 1))).astype(np.uint8)
    return color


def maps_by_covering(network: PixelNetwork, pixels: Pixels, columns: Sequence[int]) -> Float64s:
    """Return by how much the logit falls where a part is covered, (columns, rows, columns of grid).

    A cell's value is the mean over the windows that cover its middle: a window that hides the
    animal lowers the logit wherever else it reaches, and its neighbours tell where it is.

    Args:
        network: Any; it is asked once a window.
        pixels: The frame at the network's size, uint8 (height, width, 3).
        columns: The categories' columns.
    """
    wanted = list(columns)
    whole = network.forward(pixels[np.newaxis]).outputs[0, wanted].astype(np.float64)
    covers = windows(*pixels.shape[:2])
    color = mean_color(pixels)
    falls = []
    for first in range(0, len(covers), _AT_A_TIME):
        part = covers[first : first + _AT_A_TIME, :, :, np.newaxis]
        outputs = network.forward(np.where(part, color, pixels)).outputs
        falls.append(whole - outputs[:, wanted].astype(np.float64))
    return mean_over_windows(np.concatenate(falls))


def mean_over_windows(falls: Float64s, *, grid: int = GRID, share: float = WINDOW) -> Float64s:
    """Return each cell's mean fall over the windows that cover its middle.

    Args:
        falls: One a window and category, shape (grid * grid, categories).
        grid: Windows along either side, and so cells.
        share: How much of either side a window covers.

    Returns:
        Shape (categories, grid, grid).
    """
    covering = windows(grid, grid, grid=grid, share=share).reshape(grid * grid, grid * grid)
    means: Float64s = falls.T @ covering / covering.sum(axis=0)
    cells: Float64s = means.reshape(-1, grid, grid)
    return cells
