"""Halving large frames before they are resized, by the one rule that every decoder follows."""

from __future__ import annotations

from PIL import Image

# What a JPEG decoder can do by itself; a frame of 8K goes to 1/8 for a network at 224 px.
_FACTORS = (8, 4, 2)


def reduction_for(width_px: int, height_px: int, at_least: tuple[int, int] | None) -> int:
    """Return the largest of 8, 4, 2, 1 that leaves a frame no smaller than `at_least`.

    Args:
        width_px: The frame's width.
        height_px: The frame's height.
        at_least: Width and height that are enough; `None` for the whole frame.
    """
    if at_least is None:
        return 1
    width, height = at_least
    fits = [k for k in _FACTORS if width_px // k >= width and height_px // k >= height]
    return max(fits, default=1)


def reduced(image: Image.Image, at_least: tuple[int, int] | None) -> Image.Image:
    """Return the frame with blocks of pixels averaged, as far as `reduction_for` allows."""
    factor = reduction_for(image.width, image.height, at_least)
    return image if factor == 1 else image.reduce(factor)
