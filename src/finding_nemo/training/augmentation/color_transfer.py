"""Augmentation by color transfer: a frame in the light of another dive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.records import ImageRecord

_LEAST, _MOST = 0.2, 1.0
# In grey levels: open water is so even that its noise would become the other frame's contrast.
_LEAST_CONTRAST = 4.0
# Mean and contrast of a frame need no more than every eighth row and column.
_STEP = 8


@dataclass(frozen=True, slots=True)
class ColorTransfer:
    """Whose light a frame takes on, and how much of it.

    Attributes:
        record: Another frame.
        share: 0 for the frame's own light, 1 for the other's.
    """

    record: ImageRecord
    share: float


class ColorTransferSources:
    """The light of training frames, each of their dives drawn alike.

    On a dive the water, the lamps and the camera are the same in every frame; a network that has
    seen its animals in the light of other dives too depends on them less.
    """

    def __init__(self, records: Sequence[ImageRecord], *, color_transfer_prob: float) -> None:
        """Collect the dives of `records`, training frames only, for that share of views."""
        dives: dict[str, list[ImageRecord]] = defaultdict(list)
        for record in records:
            dives[record.dive_or_own].append(record)
        self._dives = tuple(dives.values())
        self._prob = color_transfer_prob

    def draw(self, generator: np.random.Generator) -> ColorTransfer | None:
        """Return the light of a view, or nothing for its own."""
        if not self._dives or generator.random() >= self._prob:
            return None
        frames = self._dives[int(generator.integers(len(self._dives)))]
        record = frames[int(generator.integers(len(frames)))]
        return ColorTransfer(record, float(generator.uniform(_LEAST, _MOST)))


def transfer_color(frame: Pixels, other: Pixels, share: float) -> Pixels:
    """Return a frame with each channel's mean and contrast drawn towards those of another.

    Args:
        frame: uint8 (height, width, 3).
        other: The same, of any size.
        share: 0 for the frame as it is, 1 for the other's mean and contrast.

    Source:
        Reinhard et al., "Color Transfer between Images", 2001, in red, green and blue.
    """
    mean, contrast = _color_statistics(frame)
    other_mean, other_contrast = _color_statistics(other)
    wanted = (1 - share) * mean + share * other_mean
    gain = ((1 - share) * contrast + share * other_contrast) / contrast
    values = np.arange(256)
    table = wanted[:, None] + gain[:, None] * (values - mean[:, None])
    levels = np.clip(np.rint(table), 0, 255).astype(int)
    return np.asarray(Image.fromarray(frame).point(levels.ravel().tolist()), dtype=np.uint8)


def _color_statistics(frame: Pixels) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and contrast of each channel, in grey levels."""
    sampled = frame[::_STEP, ::_STEP].reshape(-1, 3).astype(np.float64)
    return sampled.mean(axis=0), sampled.std(axis=0) + _LEAST_CONTRAST
