"""TIFF files whose strips or tiles are damaged in a way that libtiff passes over."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from PIL import JpegImagePlugin, TiffImagePlugin

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.data.images.formats.jpeg_checks import check_layout
from finding_nemo.data.images.formats.jpeg_decoding import WatchedJpeg
from finding_nemo.data.images.formats.jpeg_layout import read_layout

_COMPRESSION, _JPEG_TABLES = 259, 347
_BITS, _ROWS, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT = 258, 278, 284, 322, 323
_DEFLATE = frozenset({8, 32946})
_JPEG = 7
_PLACES = ((273, 279), (324, 325))  # offsets and byte counts, of strips and of tiles
_INFLATED_AT_A_TIME = 1 << 20
_MAX_BYTES_A_PIXEL = 8


def check_strips(image: TiffImagePlugin.TiffImageFile, content: bytes, limits: InputLimits) -> None:
    """Refuse a file of which a strip does not fit its sum (deflate), or lost a part (JPEG).

    Such a strip is decoded once more for it, which doubles the time of these two forms: libtiff
    stops at the last pixel, before the sum, and tells of no loss within a JPEG.

    Args:
        image: Opened, not loaded.
        content: The file.
        limits: What it may cost.

    Raises:
        ImageError: If so.
    """
    compression = image.tag_v2.get(_COMPRESSION, 1)
    if compression in _DEFLATE:
        left, most = limits.max_pixels * _MAX_BYTES_A_PIXEL, _bytes_of_a_strip(image)
        for strip in _strips(image, content):
            n_bytes, is_ended = _inflated(strip, left)
            left -= n_bytes
            if n_bytes > most and not is_ended:
                raise ImageError("is truncated or damaged (a strip of it has no end)")
    elif compression == _JPEG:
        tables = image.tag_v2.get(_JPEG_TABLES, b"")
        for strip in _strips(image, content):
            _check_jpeg(tables[:-2] + strip[2:] if tables else strip, limits)


def _strips(image: TiffImagePlugin.TiffImageFile, content: bytes) -> Iterator[bytes]:
    for offsets, counts in _PLACES:
        if offsets in image.tag_v2 and counts in image.tag_v2:
            pairs = zip(image.tag_v2[offsets], image.tag_v2[counts], strict=False)
            yield from (content[offset : offset + count] for offset, count in pairs)
            return


def _bytes_of_a_strip(image: TiffImagePlugin.TiffImageFile) -> int:
    """Return how many bytes a strip or tile holds when it is inflated."""
    tags = image.tag_v2
    width, rows = tags.get(_TILE_WIDTH, image.width), tags.get(_ROWS, image.height)
    rows = tags.get(_TILE_HEIGHT, min(rows, image.height))
    bits = tags.get(_BITS, (1,))
    n_bits = max(bits) if tags.get(_PLANAR, 1) == 2 else sum(bits)
    return int(rows) * -(-int(width) * n_bits // 8)


def _inflated(data: bytes, most: int) -> tuple[int, bool]:
    """Return how many bytes `data` holds, none of them kept, and whether it comes to its end."""
    stream, n_bytes = zlib.decompressobj(), 0
    while data and not stream.eof and n_bytes <= most:
        n_bytes += len(stream.decompress(data, _INFLATED_AT_A_TIME))
        data = stream.unconsumed_tail
    return n_bytes, stream.eof


def _check_jpeg(data: bytes, limits: InputLimits) -> None:
    layout = read_layout(data, limits)
    if layout is None:
        return
    check_layout(data, layout)
    stream = WatchedJpeg(data, layout)
    image = JpegImagePlugin.JpegImageFile(stream, "")
    image.draft(image.mode, (image.width // 8, image.height // 8))
    stream.load(image)
