"""Equal and look-alike images by hash."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

HASH_WORDS = 4
_SIDE = 32
_COEFFICIENTS = 16


def scene_hash(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return a 256-bit hash of the coarse pattern of brightness, as 4 x uint64.

    The signs, about their median, of the 16 x 16 lowest cosine coefficients of the frame at
    32 x 32. Images that differ in size, compression or brightness share nearly all bits.

    Args:
        pixels: Shape (height, width, 3), uint8.

    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010.
    """
    small = Image.fromarray(pixels).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    cosines = _cosines()
    waves = cosines @ np.asarray(small, dtype=np.float64) @ cosines.T
    return np.packbits(waves > np.median(waves)).view(np.uint64)


def _cosines() -> npt.NDArray[np.float64]:
    """Return the first rows of the discrete cosine transform (type II) of length 32."""
    position, wave = np.arange(_SIDE) + 0.5, np.arange(_COEFFICIENTS)[:, np.newaxis]
    return np.asarray(np.cos(np.pi * wave * position / _SIDE))


def equal_groups(digests: Sequence[str]) -> list[list[int]]:
    """Return the places of digests that occur more than once, in order of first place."""
    positions: dict[str, list[int]] = {}
    for position, digest in enumerate(digests):
        positions.setdefault(digest, []).append(position)
    return [group for group in positions.values() if len(group) > 1]
