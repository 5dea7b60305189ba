"""Pixels of any size into what a network takes: the one definition, without torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from finding_nemo.core.preprocessing import Preprocessing


def resize_pixels(
    pixels: npt.NDArray[np.uint8], *, width_px: int, height_px: int
) -> npt.NDArray[np.uint8]:
    """Resize a whole frame, antialiased bilinear, its aspect ratio not kept.

    Args:
        pixels: uint8, shape (height, width, 3).
        width_px: Wanted width.
        height_px: Wanted height.

    Returns:
        uint8, shape (height_px, width_px, 3).
    """
    if pixels.shape[:2] == (height_px, width_px):
        return pixels
    image = Image.fromarray(pixels)
    resized = image.resize((width_px, height_px), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8)


def normalise_pixels(
    pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Return (pixels / 255 - mean) / std with channels first.

    Args:
        pixels: uint8, shape (..., height, width, 3).
        preprocessing: Mean and standard deviation of each channel.

    Returns:
        float32, shape (..., 3, height, width), contiguous.
    """
    mean = np.asarray(preprocessing.mean, dtype=np.float32)
    std = np.asarray(preprocessing.std, dtype=np.float32)
    scaled = (pixels.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(np.moveaxis(scaled, -1, -3))


def preprocess(
    pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Return one decoded frame as the network takes it: float32, shape (3, height, width)."""
    resized = resize_pixels(
        pixels, width_px=preprocessing.width_px, height_px=preprocessing.height_px
    )
    return normalise_pixels(resized, preprocessing)
