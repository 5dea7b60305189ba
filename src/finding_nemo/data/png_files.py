"""The ordinary PNG file (8-bit RGB, nothing special in it), decoded 3 times as fast as by Pillow.

Any other PNG, and a damaged one, is left to Pillow, which has the rules and the words for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_fast: Any
try:
    from kornia_rs import io as _fast
except ImportError:  # the extra [fast] is not installed
    _fast = None

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BIT_RGB_NOT_INTERLACED = (8, 2, 0, 0, 0)
# Chunks that change no pixel; a rotation, transparency or an animation lies in others.
_HARMLESS = frozenset(
    {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"cHRM", b"iCCP", b"sBIT", b"tIME"}
)


def decode_plain_png(content: bytes, *, max_pixels: int) -> npt.NDArray[np.uint8] | None:
    """Return the pixels of an ordinary PNG file, uint8 (height, width, 3).

    Args:
        content: The whole file.
        max_pixels: Larger frames are not decoded.

    Returns:
        `None` where it is another kind of file, is damaged, or the fast decoder is missing.
    """
    if _fast is None or not content.startswith(_SIGNATURE):
        return None
    size = _plain_size(content)
    if size is None or size[0] * size[1] > max_pixels:
        return None
    try:
        pixels: npt.NDArray[np.uint8] = _fast.decode_image_png_u8(content, size, "rgb")
    except Exception:  # a Rust error of any class: Pillow says what is wrong
        return None
    return pixels


def _plain_size(content: bytes) -> tuple[int, int] | None:
    """Return (height, width) if the file is ordinary and whole."""
    kinds = set()
    size = None
    for kind, start, length in _chunks(content):
        kinds.add(kind)
        if kind == b"IHDR" and length == 13:
            width, height, *form = struct.unpack_from(">IIBBBBB", content, start)
            if tuple(form) == _EIGHT_BIT_RGB_NOT_INTERLACED:
                size = (height, width)
    return size if kinds <= _HARMLESS and b"IEND" in kinds else None


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and length of the data of each whole chunk."""
    place = len(_SIGNATURE)
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 12 + length
        if end > len(content):
            return
        yield content[place + 4 : place + 8], place + 8, length
        place = end
