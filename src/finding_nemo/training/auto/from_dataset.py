"""How large a frame must be for its animals to be seen, and no larger."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from finding_nemo.core.choice import Choice
from finding_nemo.core.records import ImageRecord

# What takes 27 core-minutes to train on 4,000 frames and 14 ms a frame to predict.
USUAL_PX = (480, 352)
# A network's patch is 32 px wide; an animal that fills less of it is mixed with the ground.
_PATCH_PX = 32
# Pixels cost time in proportion: at most 2.5 times.
_MOST_TIMES = 2.5
_LEAST_BOXES = 20


def frame_size(
    width_px: int | None, height_px: int | None, records: Sequence[ImageRecord]
) -> Choice[tuple[int, int]]:
    """Return the size that was set, or else chosen for training images `records`."""
    if width_px is None or height_px is None:
        return choose_frame_size(records)
    return _choice(width_px, height_px, "as set")


def choose_frame_size(records: Sequence[ImageRecord]) -> Choice[tuple[int, int]]:
    """Choose from the boxes of training images.

    The usual size, unless more than a quarter of the boxes would be narrower than a patch of
    the network there; then as much larger as makes them that wide, but no larger than the
    frames themselves and at most 2.5 times the pixels.

    Args:
        records: Training images; those without a recorded size or boxes tell nothing.
    """
    width, height = USUAL_PX
    frames = [(r.width * r.height, r.boxes) for r in records if r.width and r.height and r.boxes]
    sides = [
        math.sqrt(width * height * box.width_px * box.height_px / pixels)
        for pixels, boxes in frames
        for box in boxes
    ]
    if len(sides) < _LEAST_BOXES:
        return _choice(width, height, "the usual; too few boxes say how small animals are")
    quarter = float(np.quantile(sides, 0.25))
    if quarter >= _PATCH_PX:
        why = f"the usual; three quarters of the boxes are {quarter:.0f} px or more there"
        return _choice(width, height, why)
    usual_times = float(np.median([pixels for pixels, _ in frames])) / (width * height)
    most = math.sqrt(min(_MOST_TIMES, max(1.0, usual_times)))
    scale = min(_PATCH_PX / quarter, most)
    return _choice(
        _whole_patches(width * scale),
        _whole_patches(height * scale),
        f"a quarter of the boxes are under {quarter:.0f} px at {width} x {height}",
    )


def _whole_patches(pixels: float) -> int:
    return _PATCH_PX * round(pixels / _PATCH_PX)


def _choice(width_px: int, height_px: int, reason: str) -> Choice[tuple[int, int]]:
    return Choice((width_px, height_px), reason, shown=f"{width_px} x {height_px} px")
