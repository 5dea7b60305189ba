"""The pixels of a planned augmentation."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from PIL import Image

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.color_transfer import transfer_color
from finding_nemo.training.augmentation.plan import (
    WHOLE,
    Area,
    AugmentationPlan,
    ColorJitter,
    Paste,
)

Decode = Callable[[ImageRecord], Pixels]

_RIM = 0.12
# The middles of 256 equally frequent parts of the standard normal distribution, to whose standard
# deviation of 1 they are brought.
_MIDDLES = [NormalDist().inv_cdf((step + 0.5) / 256) for step in range(256)]
_NORMAL_STEPS = np.array(_MIDDLES) / np.std(_MIDDLES)


def render_augmentation(
    plan: AugmentationPlan, decode: Decode, *, width_px: int, height_px: int
) -> Pixels:
    """Return the view at the network's size, uint8 (height, width, 3).

    Pillow and NumPy do the work on whole images, without Python's lock: threads render side by
    side. A view depends on its plan alone, whoever renders it.

    Args:
        plan: The plan.
        decode: From any training frame to its pixels, uint8 (height, width, 3).
        width_px: Wanted width.
        height_px: Wanted height.
    """
    frame = decode(plan.record)
    if plan.color_transfer is not None:
        frame = transfer_color(frame, decode(plan.color_transfer.record), plan.color_transfer.share)
    image = _cut_out(frame, plan.window, width_px, height_px)
    if plan.color_jitter != ColorJitter():
        image = _coloured(image, plan.color_jitter)
    for paste in plan.pastes:
        _paste(image, paste, decode)
    if plan.mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(image, dtype=np.uint8)
    return _noisy(pixels, plan) if plan.color_jitter.noise else pixels


def _cut_out(frame: Pixels, window: Area, width_px: int, height_px: int) -> Image.Image:
    height, width = frame.shape[:2]
    image = Image.fromarray(frame)
    if window == WHOLE and (width, height) == (width_px, height_px):
        return image
    box = (window.left * width, window.top * height, window.right * width, window.bottom * height)
    return image.resize((width_px, height_px), Image.Resampling.BILINEAR, box=box)


def _coloured(image: Image.Image, color_jitter: ColorJitter) -> Image.Image:
    curve = 255 * (np.arange(256) / 255) ** color_jitter.gamma
    table = np.clip(np.rint(np.outer(color_jitter.gains, curve)), 0, 255).astype(int)
    jittered = image.point(table.ravel().tolist())
    if not color_jitter.greyness:
        return jittered
    return Image.blend(jittered, jittered.convert("L").convert("RGB"), color_jitter.greyness)


def _paste(image: Image.Image, paste: Paste, decode: Decode) -> None:
    """Blend the cut-out into `image`, in place."""
    width, height = image.size
    left, top = round(paste.target.left * width), round(paste.target.top * height)
    right = min(max(round(paste.target.right * width), left + 1), width)
    bottom = min(max(round(paste.target.bottom * height), top + 1), height)
    if right <= left or bottom <= top:
        return
    cut = _cut_out(decode(paste.paste_source.record), paste.source, right - left, bottom - top)
    if paste.mirrored:
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    around = _channel_means(image.crop((left, top, right, bottom)))
    shift = paste.colour_match * (around - _channel_means(cut))
    levels = np.clip(np.rint(np.arange(256) + shift[:, np.newaxis]), 0, 255).astype(int)
    matched = cut.point(levels.ravel().tolist())
    weight = (255 * _rim_weight(bottom - top, right - left)).astype(np.uint8)
    image.paste(matched, (left, top), Image.fromarray(weight))


def _channel_means(image: Image.Image) -> npt.NDArray[np.float64]:
    """Return the mean of each channel, exact: sums of whole numbers, in whatever order."""
    counts = np.array(image.histogram(), dtype=np.int64).reshape(3, 256)
    means: npt.NDArray[np.float64] = counts @ np.arange(256) / (image.width * image.height)
    return means


def _rim_weight(height: int, width: int) -> npt.NDArray[np.float32]:
    """Return 0 at the rim to 1 inside, float32 (height, width)."""
    rows, columns = np.arange(height), np.arange(width)
    from_top = np.minimum(rows + 1, height - rows) / height
    from_left = np.minimum(columns + 1, width - columns) / width
    nearest = np.minimum(from_top[:, None], from_left[None, :])
    return np.clip(nearest / _RIM, 0, 1).astype(np.float32)


def _noisy(pixels: Pixels, plan: AugmentationPlan) -> Pixels:
    """Return pixels with noise of a normal distribution in 256 steps.

    A random byte chooses the step: a fifth of the time that normal random numbers take.
    """
    steps = np.rint(plan.color_jitter.noise * _NORMAL_STEPS).astype(np.int16)
    drawn = np.frombuffer(np.random.default_rng(plan.seed).bytes(pixels.size), dtype=np.uint8)
    noisy = np.asarray(steps[drawn].reshape(pixels.shape), dtype=np.int16)
    noisy += pixels
    np.clip(noisy, 0, 255, out=noisy)
    return np.asarray(noisy, dtype=np.uint8)
