"""The ordinary PNG file (8-bit RGB, nothing special in it), decoded 3 times as fast as by Pillow.

Any other PNG, and a damaged one, is left to Pillow, which has the rules and the words for it, but
does not check the sums of the chunks that hold the pixels: that is done here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError

_fast: Any
try:
    from kornia_rs import io as _fast
except ImportError:  # the extra [fast] is not installed
    _fast = None

# Encoders write chunks of 8 kB and more: 40,000 in 300 MB. Each costs Pillow some microseconds.
_MAX_CHUNKS = 200_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Signature, length and kind of the first chunk, and what it says of the picture.
START_BYTES = 8 + 8 + 13
# 8 bits, RGB, not interlaced.
_ORDINARY_FORM = (8, 2, 0, 0, 0)
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
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # a Rust error of any class, or its panic, which is no Exception
        return None  # Pillow says what is wrong
    return pixels


def keeps_the_lock(start: bytes) -> tuple[int, int] | None:
    """Return (height, width) of a file that the fast decoder takes, keeping Python's lock.

    Its other chunks may still send it to Pillow, which does not keep the lock.

    Args:
        start: The first `START_BYTES` of the file, or more.
    """
    if _fast is None or len(start) < START_BYTES or not start.startswith(_SIGNATURE):
        return None
    kind, width, height, *form = struct.unpack_from(">4sIIBBBBB", start, len(_SIGNATURE) + 4)
    return (height, width) if kind == b"IHDR" and tuple(form) == _ORDINARY_FORM else None


def _plain_size(content: bytes) -> tuple[int, int] | None:
    """Return (height, width) if the file is ordinary and whole."""
    kinds = set()
    size = None
    for kind, start, length in chunks(content):
        kinds.add(kind)
        if kind == b"IHDR" and length == 13:
            width, height, *form = struct.unpack_from(">IIBBBBB", content, start)
            if tuple(form) == _ORDINARY_FORM:
                size = (height, width)
    return size if kinds <= _HARMLESS and b"IEND" in kinds else None


def chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and length of the data of each whole chunk.

    Raises:
        ImageError: If there are more than a file may have.
    """
    count = 0
    position = len(_SIGNATURE)
    while position + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, position)
        end = position + 12 + length
        if end > len(content):
            return
        count += 1
        if count > _MAX_CHUNKS:
            raise ImageError(f"has more than the {_MAX_CHUNKS} chunks that are read")
        yield content[position + 4 : position + 8], position + 8, length
        position = end


def check_sums(content: bytes) -> None:
    """Check the sum of each chunk that holds pixels.

    Raises:
        ImageError: If one does not fit.
    """
    view = memoryview(content)
    for kind, start, length in chunks(content):
        if kind == b"IDAT":
            (stated,) = struct.unpack_from(">I", content, start + length)
            if zlib.crc32(view[start - 4 : start + length]) != stated:
                raise ImageError("is truncated or damaged (the sum of a PNG chunk does not fit)")
        elif kind == b"IEND":
            return
