"""Whether a map shows an animal where its boxes are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s

# Patches are cut in so many pieces along either side, to see how much of one a box covers.
_PIECES = 16


def box_cover(
    boxes: Sequence[tuple[float, float, float, float]],
    *,
    width_px: float,
    height_px: float,
    grid: tuple[int, int],
) -> Float64s:
    """Return the share of each patch that lies in any of the boxes, shape (rows, columns).

    Exact to a sixteenth of a patch along either side.

    Args:
        boxes: Left, top, width and height in px; what leaves the frame does not count.
        width_px: Of the frame.
        height_px: Of the frame.
        grid: Rows and columns of patches over the whole frame.
    """
    rows, columns = grid
    x = (np.arange(columns * _PIECES) + 0.5) * width_px / (columns * _PIECES)
    y = (np.arange(rows * _PIECES) + 0.5) * height_px / (rows * _PIECES)
    inside: Bools = np.zeros((len(y), len(x)), dtype=np.bool_)
    for left, top, width, height in boxes:
        within_x = (x >= left) & (x < left + width)
        within_y = (y >= top) & (y < top + height)
        inside |= within_y[:, np.newaxis] & within_x
    pieces = inside.reshape(rows, _PIECES, columns, _PIECES)
    cover: Float64s = pieces.mean(axis=(1, 3))
    return cover


def energy_inside(heat: AnyFloats, cover: AnyFloats) -> float:
    """Return the share of a map that lies in the boxes, in [0, 1]; NaN for a map of zeros.

    A map that says nothing scores the boxes' share of the frame, `cover.mean()`.

    Args:
        heat: At least 0, shape (rows, columns).
        cover: From `box_cover`, same shape.

    Source:
        Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural
        Networks", 2020, arXiv:1910.01279 (the energy-based pointing game).
    """
    total = float(np.sum(heat, dtype=np.float64))
    if total == 0:
        return float("nan")
    return float(np.sum(heat * cover, dtype=np.float64)) / total


def peak_touches(heat: AnyFloats, cover: AnyFloats) -> bool:
    """Return whether a box reaches into the patch where a map is largest (the pointing game).

    Of several largest patches the first counts, row by row. A map that says nothing is right as
    often as the share of patches that a box reaches into.

    Args:
        heat: Shape (rows, columns).
        cover: From `box_cover`, same shape.

    Source:
        Zhang et al., "Top-down Neural Attention by Excitation Backprop", 2016, arXiv:1608.00507.
    """
    peak = np.unravel_index(int(np.argmax(heat)), heat.shape)
    reached: npt.NDArray[np.bool_] = np.asarray(cover) > 0
    return bool(reached[peak])
