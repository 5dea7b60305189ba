"""The way up that a file states, and turning a picture to it."""

from __future__ import annotations

from PIL import Image

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """Return the way up that EXIF or XMP states, 1 to 8; 1 where there is none, or nonsense.

    Nothing else of the block is looked at, and nothing is written again: a block with one entry of
    an impossible value still states its orientation. A TIFF is turned by Pillow as it is loaded.

    Args:
        image: Loaded, unless it is a JPEG: Pillow loads a PNG to look for the block behind the
            pixels, and what is wrong with them would be taken for a fault of the block.
    """
    if image.format == "TIFF":
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a block that cannot be parsed, in any of a dozen ways, states nothing
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return `image` upright."""
    return image if orientation == 1 else image.transpose(_TURNS[orientation])
