"""Any form of pixels that a file can hold into red, green, blue of 8 bits, and reduced.

Large pictures are converted in strips: whole copies of 100 megapixels at 4 to 8 bytes a pixel were
2.5 GB in each thread.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from finding_nemo.data.images.reduction import reduction_for

# A strip of 8K video is 16 MB as RGBA; a multiple of every reduction factor (2, 4, 8).
_STRIP_PX = 4_000_000
_FACTOR = 8
_TRANSPARENT = frozenset({"LA", "PA", "RGBA", "RGBa", "La"})

ToRgb = Callable[[Image.Image], Image.Image]


def is_plain(image: Image.Image) -> bool:
    """Return whether `image` is RGB already."""
    return image.mode == "RGB" and "transparency" not in image.info


def to_rgb(image: Image.Image) -> Image.Image:
    """Return `image`, of 8 bits or fewer a channel, as RGB; transparency lies over black."""
    if is_plain(image):
        return image
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, rgba).convert("RGB")
    return image.convert("RGB")


def converted(
    image: Image.Image, convert: ToRgb, *, at_least: tuple[int, int] | None
) -> Image.Image:
    """Return `convert` of `image`, reduced as far as `at_least` allows, strip by strip.

    Args:
        image: The decoded picture.
        convert: Gives RGB of the same size.
        at_least: Width and height in px that are enough; `None` for the whole.
    """
    factor = reduction_for(image.width, image.height, at_least)
    rows = max(_STRIP_PX // max(image.width, 1) // _FACTOR, 1) * _FACTOR
    if rows >= image.height:
        return _reduced(convert(image), factor)
    out = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        out.paste(_reduced(convert(strip), factor), (0, top // factor))
    return out


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    return image if factor == 1 else image.reduce(factor)
