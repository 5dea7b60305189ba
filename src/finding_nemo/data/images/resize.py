"""Pixels of any size into what a network takes: the one definition, without torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.names.registries import load
from finding_nemo.core.preprocessing import RESIZES, Channels, Preprocessing, ResizeName
from finding_nemo.data.images.decode import DecodedImage, open_upright
from finding_nemo.data.images.reduction import reduced


def stretch(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the whole frame at `size`, antialiased bilinear, its aspect ratio not kept."""
    small = reduced(image, size)
    return small if small.size == size else small.resize(size, Image.Resampling.BILINEAR)


def _resized(image: Image.Image, size: tuple[int, int], resize: ResizeName) -> Image.Image:
    made: Image.Image = load(RESIZES[resize].function)(image, size)
    return made


def resize_pixels(
    pixels: npt.NDArray[np.uint8], *, width_px: int, height_px: int, resize: ResizeName = "stretch"
) -> npt.NDArray[np.uint8]:
    """Resize a whole frame.

    A frame that is at least 2, 4 or 8 times as large is first averaged over blocks of that side.

    Args:
        pixels: uint8, shape (height, width, 3).
        width_px: Wanted width.
        height_px: Wanted height.
        resize: In which way, a name of `RESIZES`.

    Returns:
        uint8, shape (height_px, width_px, 3).
    """
    if pixels.shape[:2] == (height_px, width_px):
        return pixels
    resized = _resized(Image.fromarray(pixels), (width_px, height_px), resize)
    return np.asarray(resized, dtype=np.uint8)


def decode_resized(
    source: Path | bytes, preprocessing: Preprocessing, *, limits: InputLimits = USUAL_LIMITS
) -> DecodedImage:
    """Decode a file, or a file's bytes, straight to the network's size.

    The pixels are those of `decode_image` and then `resize_pixels`: the same numbers from any
    format but JPEG, whose decoder averages the blocks itself (0.1 grey levels apart on average,
    docs/benchmarks.md). It is several times faster on large frames.

    Args:
        source: The file, or its bytes.
        preprocessing: What the network takes.
        limits: What it may cost.

    Raises:
        ImageError: As `decode_image`.
    """
    size = (preprocessing.width_px, preprocessing.height_px)
    with open_upright(source, at_least=size, limits=limits) as opened:
        resized = _resized(opened.image, size, preprocessing.resize)
        return DecodedImage(np.asarray(resized, dtype=np.uint8), opened.width, opened.height)


@lru_cache(maxsize=8)
def _normalised_values(mean: Channels, std: Channels) -> npt.NDArray[np.float32]:
    """Return what each of the 256 values becomes in each channel, shape (3, 256)."""
    values = np.arange(256, dtype=np.float32)[np.newaxis] / np.float32(255)
    return (values - np.array(mean, np.float32)[:, np.newaxis]) / np.array(std, np.float32)[
        :, np.newaxis
    ]


def normalise_pixels(
    pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Return (pixels / 255 - mean) / std with channels first.

    The 256 possible results of a channel are looked up: exact, and faster than arithmetic.

    Args:
        pixels: uint8, shape (..., height, width, 3).
        preprocessing: Mean and standard deviation of each channel.

    Returns:
        float32, shape (..., 3, height, width), contiguous.
    """
    values = _normalised_values(preprocessing.mean, preprocessing.std)
    out = np.empty((*pixels.shape[:-3], 3, *pixels.shape[-3:-1]), dtype=np.float32)
    for channel in range(3):
        out[..., channel, :, :] = values[channel][pixels[..., channel]]
    return out


def preprocess(
    pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing
) -> npt.NDArray[np.float32]:
    """Return one decoded frame as the network takes it: float32, shape (3, height, width)."""
    resized = resize_pixels(
        pixels,
        width_px=preprocessing.width_px,
        height_px=preprocessing.height_px,
        resize=preprocessing.resize,
    )
    return normalise_pixels(resized, preprocessing)
