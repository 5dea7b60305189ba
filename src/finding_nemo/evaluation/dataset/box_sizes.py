"""How small the animals are, in the frame and after the usual squeeze to 224 x 224."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.records import ImageRecord

_SQUEEZED_PX = 224
_TINY_PX = 16


@dataclass(frozen=True, slots=True)
class AnimalSizes:
    """Widths of boxes.

    Attributes:
        width_px: Widths in the original frames, every box.
        median_width_px: Their median.
        median_share: Median of box width over frame width, in [0, 1].
        median_squeezed_px: Median width once the frame is 224 px wide.
        tiny_share: Share of boxes under 16 px wide then.
    """

    width_px: tuple[float, ...]
    median_width_px: float
    median_share: float
    median_squeezed_px: float
    tiny_share: float


def measure_animals(records: Sequence[ImageRecord]) -> AnimalSizes | None:
    """Return the sizes of all boxes with a width in frames of known size; `None` without one."""
    sized = [
        (box.width_px, record.width)
        for record in records
        for box in record.boxes
        if record.width and 0 < box.width_px < math.inf
    ]
    if not sized:
        return None
    widths, frames = np.array(sized, dtype=np.float64).T
    shares = widths / frames
    return AnimalSizes(
        width_px=tuple(widths.tolist()),
        median_width_px=float(np.median(widths)),
        median_share=float(np.median(shares)),
        median_squeezed_px=float(np.median(shares) * _SQUEEZED_PX),
        tiny_share=float((shares * _SQUEEZED_PX < _TINY_PX).mean()),
    )
