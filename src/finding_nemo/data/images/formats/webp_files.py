"""WebP files that were overwritten with zeros, which the decoder takes for a picture.

A file that was cut short is refused by the decoder itself: its coded data ends too early. Zeros are
data like any other. Where many stand in a row (a picture of one colour has them too), the frame is
decoded a second time without its last bytes: a whole frame needs them and fails, one that lost its
place has pixels enough without. Zeros are noticed in 99 to 100 % of files (benchmarks/damage.py), a
lost part in 100 %, other bytes in their place in 10 to 30 %.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import WebPImagePlugin

from finding_nemo.core.errors import ImageError

# Real frames have up to 64 in a row, and 8,640 in the fastest lossless coding of a dark one: such
# are decoded twice, and read.
_MIN_ZEROS = 48
# More than the decoder loads ahead (8 bytes) and the encoder fills up (3).
_LEFT_OUT = 24
_PICTURES = frozenset({b"VP8 ", b"VP8L"})


def canvas_of(content: bytes) -> tuple[int, int]:
    """Return the largest width and height that a file states."""
    sizes = [_size(kind, content[start : start + 10]) for kind, start, _ in _chunks(content)]
    widths, heights = zip((0, 0), *sizes, strict=True)
    return max(widths), max(heights)


def check_zeros(content: bytes) -> None:
    """Refuse a file whose picture was overwritten with zeros.

    Raises:
        ImageError: If it was.
    """
    for kind, start, length in _chunks(content):
        if kind in _PICTURES and content.find(bytes(_MIN_ZEROS), start, start + length) >= 0:
            _check_needed(content, kind, start, length)


def _check_needed(content: bytes, kind: bytes, start: int, length: int) -> None:
    """Check that the frame cannot be decoded without its last bytes."""
    kept = content[start : start + length - _LEFT_OUT]
    shorter = _file_of(kind, kept)
    try:
        WebPImagePlugin.WebPImageFile(io.BytesIO(shorter), "").load()
    except Exception:  # whatever the decoder says: it needs what was left out
        return
    raise ImageError(
        "is truncated or damaged (zeros in its coded data, which does not fit its size)"
    )


def _file_of(kind: bytes, data: bytes) -> bytes:
    body = kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, start and length of the data of each chunk up to the first picture."""
    position = 12
    while position + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, position)
        yield kind, position + 8, min(length, len(content) - position - 8)
        if kind in _PICTURES or kind == b"ANMF":
            return
        position += 8 + length + length % 2


def _size(kind: bytes, head: bytes) -> tuple[int, int]:
    """Return the width and height that a chunk states; 0 where it states none."""
    if len(head) < 10:
        return 0, 0
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return 0, 0
