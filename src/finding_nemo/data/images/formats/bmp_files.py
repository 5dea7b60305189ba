"""Run-length coded BMP files, whose lost end Pillow fills with black."""

from __future__ import annotations

import struct

from finding_nemo.core.errors import ImageError

_RLE8, _RLE4 = 1, 2
# Runs are followed in Python, here and in Pillow: about a microsecond each.
_MAX_BYTES = 32_000_000
_END_OF_LINE, _END, _DELTA = 0, 1, 2


def check_runs(content: bytes) -> None:
    """Refuse a run-length coded BMP that ends before its picture does.

    Raises:
        ImageError: If it does, or is too large to be followed.
    """
    if len(content) < 54 or struct.unpack_from("<I", content, 14)[0] < 40:
        return
    start, width, height, coding = struct.unpack_from("<I4xiI4xI", content, 10)
    if coding not in (_RLE8, _RLE4):
        return
    if len(content) > _MAX_BYTES:
        raise ImageError(f"is a run-length coded BMP of more than {_MAX_BYTES // 1_000_000} MB")
    height = height if height < 1 << 31 else (1 << 32) - height
    if not _is_whole(content, start, width, height, is_rle4=coding == _RLE4):
        raise ImageError("is truncated or damaged (its runs end before the picture does)")


def _is_whole(content: bytes, position: int, width: int, height: int, *, is_rle4: bool) -> bool:
    """Return whether the runs come to their end mark, or fill every row."""
    column = row = 0
    while position + 2 <= len(content):
        count, value = content[position], content[position + 1]
        position += 2
        if count:
            column += count
        elif value == _END_OF_LINE:
            column, row = 0, row + 1
        elif value == _END:
            return True
        elif value == _DELTA:
            if position + 2 > len(content):
                return False
            column, row = column + content[position], row + content[position + 1]
            position += 2
        else:
            n_bytes = (value + 1) // 2 if is_rle4 else value
            column, position = column + value, position + n_bytes + n_bytes % 2
        if row >= height or (row == height - 1 and column >= width):
            return position <= len(content) + 1
    return False
