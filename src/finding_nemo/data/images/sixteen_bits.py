"""Pixels of 16 bits a channel into 8, by the range that the file states or shows.

A camera of 12 bits often writes its values, 0 to 4095, into 16 bits as they are. By their full
range such a frame is nearly black. Whether the values are a dark frame of 16 bits or all of a
camera's 12 bits, the pixels alone do not say. So the range is taken from what the file states:

* TIFF: bits a sample (12 packed), `MaxSampleValue` where it is one less than a power of two,
  `SignificantBits` of OME;
* PNG: `sBIT`. By the standard the values are scaled to the full range all the same; where
  more of their low bits are used than that leaves, they were not;
* PPM: its largest value.

Where nothing is stated, values that reach a quarter of the range are taken by the full range, and
so are smaller ones that were plainly scaled (every one a multiple of 16, or of 257 as 8 bits become
16). Anything else is refused with the way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, TiffImagePlugin

from finding_nemo.core.errors import ImageError
from finding_nemo.data.images.formats.png_decoder import chunks

FULL = 65535
_QUARTER = 16384
MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_BITS, _PHOTOMETRIC, _SAMPLES, _DESCRIPTION = 258, 262, 277, 270
_PLANAR, _LARGEST, _SAMPLE_FORMAT = 284, 281, 339
_OME_BITS = re.compile(r'SignificantBits="(\d+)"')
# The other byte of each value.
LOW_BYTES = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
}

_STRIP_PX = 4_000_000

Values = npt.NDArray[np.uint16]
AnyValues = npt.NDArray[Any]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Depth:
    """What a file says of its pixels of 16 bits.

    Attributes:
        is_wide: Whether each channel has more than 8 bits.
        largest: The value of full brightness, where it is stated.
        n_bits: Significant bits that a PNG states, 0 for none.
        is_negative: Whether 0 is white.
    """

    is_wide: bool = False
    largest: int | None = None
    n_bits: int = 0
    is_negative: bool = False


def depth_of(image: ImageFile.ImageFile, content: bytes) -> Depth:
    """Return what the header of `image` says of its depth.

    Args:
        image: Opened, not yet loaded.
        content: The file.

    Raises:
        ImageError: If its pixels have a form whose meaning is unknown.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _of_tiff(image)
    if image.format == "PNG":
        return _of_png(content)
    if image.format == "PPM":
        return _of_ppm(content)
    return Depth()


def _of_png(content: bytes) -> Depth:
    if content[24:25] != b"\x10":
        return Depth()
    for kind, start, length in chunks(content):
        if kind == b"sBIT" and length:
            return Depth(is_wide=True, n_bits=min(content[start : start + length]))
        if kind == b"IDAT":
            break
    return Depth(is_wide=True)


def _of_ppm(content: bytes) -> Depth:
    # Pillow scales by the largest value that the header states; 65535 is what tools write by habit.
    fields = re.sub(rb"#[^\n]*", b"", content[:512]).split(None, 4)
    largest = int(fields[3]) if len(fields) > 3 and fields[3].isdigit() else 0
    if largest <= 255:
        return Depth()
    return Depth(is_wide=True, largest=None if largest == FULL else FULL)


def _of_tiff(image: TiffImagePlugin.TiffImageFile) -> Depth:
    tags = image.tag_v2
    bits = tuple(tags.get(_BITS, (1,)))
    if max(bits) <= 8:
        return Depth()
    if max(bits) > 16:
        kind = "floating-point" if 3 in _tuple(tags.get(_SAMPLE_FORMAT)) else f"{max(bits)}-bit"
        raise ImageError(f"holds {kind} pixels, whose range is unknown")
    if 2 in _tuple(tags.get(_SAMPLE_FORMAT)):
        raise ImageError("holds signed pixels, whose range is unknown")
    if tags.get(_SAMPLES, 1) > 1 and tags.get(_PLANAR, 1) == 2:
        raise ImageError(
            f"holds {max(bits)}-bit colours in planes apart, which are not read; save it with the "
            "colours of a pixel side by side"
        )
    is_negative = tags.get(_PHOTOMETRIC) == 0 and image.mode in MODES
    return Depth(True, _stated_by_tiff(tags, max(bits)), is_negative=is_negative)


def _stated_by_tiff(tags: TiffImagePlugin.ImageFileDirectory_v2, n_bits: int) -> int | None:
    if n_bits < 16:
        return (1 << n_bits) - 1
    ome = _OME_BITS.search(str(tags.get(_DESCRIPTION, "")))
    if ome and 8 <= int(ome[1]) <= 16:
        return (1 << int(ome[1])) - 1
    stated = max((v for v in _tuple(tags.get(_LARGEST)) if isinstance(v, int)), default=0)
    # Any other is the largest value that happens to be in the picture (TIFF 6.0, page 37).
    return stated if stated >= 255 and (stated + 1) & stated == 0 else None


def _tuple(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def grey_of_eight_bits(image: Image.Image, depth: Depth) -> npt.NDArray[np.uint8]:
    """Return what each value of a grey picture of 16 bits becomes, shape (65536,).

    Args:
        image: Loaded, of one of `MODES`.
        depth: What its header says.

    Raises:
        ImageError: If its range is neither stated nor shown, or is not 0 to 65535.
    """
    strips = _strips(image.height, lambda box: np.asarray(image.crop(box)), image.width)
    shown = _shown(strips, depth)
    if not depth.is_wide or shown.low < 0 or shown.high > FULL:
        raise ImageError("holds 32-bit integer pixels, whose range is unknown")
    high, top = shown.high, depth.largest or _range_shown(shown, depth)
    if high > top:
        raise ImageError(f"holds values up to {high}, but states a largest of {top}")
    values = np.arange(FULL + 1, dtype=np.uint32)
    grey = np.minimum((values * 255 + top // 2) // top, 255).astype(np.uint8)
    return 255 - grey if depth.is_negative else grey


def to_grey(image: Image.Image, grey: npt.NDArray[np.uint8]) -> Image.Image:
    """Return a picture, or strip, of 16 bits as RGB, by what each value becomes."""
    return Image.fromarray(grey[_values(image)]).convert("RGB")


def _values(image: Image.Image) -> Values:
    return np.asarray(image).astype(np.uint16, copy=False)


def check_wide_colour(
    image: Image.Image, depth: Depth, low_bytes: Callable[[], Image.Image | None]
) -> None:
    """Refuse a colour picture of 16 bits that is not of the full range.

    Pillow keeps the upper byte of each value, which is right for the full range.

    Args:
        image: The decoded picture: upper bytes.
        depth: What its header says.
        low_bytes: Gives the lower bytes, or `None` where they cannot be had; called only for a dark
            picture.

    Raises:
        ImageError: If the picture is of fewer bits, or may be.
    """
    if not depth.is_wide or image.mode in MODES:
        return
    n_colours = 1 if image.mode in ("L", "LA") else 3
    high = 256 * max(_largest(image.getchannel(band)) for band in range(n_colours))
    top = depth.largest
    if top is None and high >= _QUARTER:
        return
    if top is None:
        lower = low_bytes()
        if lower is None:
            raise ImageError(_unknown(max(high, 256) - 1))

        def values(box: Box) -> AnyValues:
            upper = np.asarray(image.crop(box))[..., :n_colours].astype(np.int32)
            both: AnyValues = upper * 256 + np.asarray(lower.crop(box))[..., :n_colours]
            return both

        strips = _strips(image.height, values, image.width)
        top = _range_shown(_shown(strips, depth), depth)
    if top != FULL:
        raise ImageError(
            f"holds colours of 16 bits that go to {top} only, which are not read; scale them to "
            f"0..{FULL}"
        )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the values of a picture show.

    Attributes:
        low: The smallest.
        high: The largest.
        fills_bits: Whether bits are used that values scaled from those stated would leave unused.
        is_scaled: Whether all are multiples of 16, or all of 257.
    """

    low: int
    high: int
    fills_bits: bool
    is_scaled: bool


def _strips(height: int, values: Callable[[Box], AnyValues], width: int) -> Iterator[AnyValues]:
    """Yield the values of a picture a few rows at a time: whole copies of large ones are 1 GB."""
    rows = max(_STRIP_PX // max(width, 1), 1)
    for top in range(0, height, rows):
        yield values((0, top, width, min(top + rows, height)))


def _shown(strips: Iterator[AnyValues], depth: Depth) -> _Shown:
    # Scaling by shifts leaves zeros below, scaling by rounding at most a one.
    below = (1 << (16 - depth.n_bits)) - 1 if depth.n_bits else 0
    low, high, by_16, by_257, left = FULL, 0, True, True, 0
    for values in strips:
        low, high = min(low, int(values.min())), max(high, int(values.max()))
        if high >= _QUARTER:
            continue
        left = max(left, int((values & below).max()))
        by_16 = by_16 and not (values & 15).any()
        by_257 = by_257 and not (values % 257).any()
    return _Shown(low, high, left > 1, by_16 or by_257)


def _range_shown(shown: _Shown, depth: Depth) -> int:
    """Return the value of full brightness, from the values and a PNG's significant bits."""
    if depth.n_bits == 16 or shown.high == 0 or shown.high >= _QUARTER:
        return FULL
    if depth.n_bits:
        fits = shown.high < 1 << depth.n_bits and shown.fills_bits
        return (1 << depth.n_bits) - 1 if fits else FULL
    if shown.is_scaled:
        return FULL
    raise ImageError(_unknown(shown.high))


def _unknown(high: int) -> str:
    bits = max(8, high.bit_length())
    return (
        f"holds 16-bit pixels that go to {high} of {FULL} only: all of a camera's {bits} bits, or "
        f"a dark frame, it does not say which. Scale them to 0..{FULL}, or state their range (PNG: "
        "sBIT, TIFF: MaxSampleValue)"
    )


def _largest(image: Image.Image) -> int:
    """Return the largest value of a picture of one band of 8 bits."""
    return max(value for value, count in enumerate(image.histogram()) if count)
