"""What a JPEG file's layout shows of damage before any pixel is decoded."""

from __future__ import annotations

import numpy as np

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.data.images.formats.jpeg_layout import CodeOfZeros, JpegLayout, Scan

# Passes over the largest frame; encoders write about 10.
_FULL_PASSES = 20
_BLOCK_COEFFICIENTS = 64
# Zero bytes that are looked into; whole frames have 3 at most in a row, except where zero bits mean
# "the same again" and the picture is of one colour.
_MIN_ZEROS = 64


def check_scans(layout: JpegLayout, limits: InputLimits) -> None:
    """Refuse a file whose passes over a large frame would take minutes.

    Each pass visits every block of the frame, were it empty.

    Raises:
        ImageError: If they would.
    """
    most = limits.max_pixels * _FULL_PASSES
    if len(layout.scans) * layout.width * layout.height > most:
        raise ImageError(
            f"has {len(layout.scans)} scans over {layout.width} x {layout.height} px, more than "
            f"are decoded: {most / 1e9:g} gigapixels in all (--max-megapixels)"
        )


def check_layout(content: bytes, layout: JpegLayout) -> None:
    """Refuse a file of which parts are missing or overwritten.

    Args:
        content: The file.
        layout: What `read_layout` found in it.

    Raises:
        ImageError: If restart markers are missing or out of order, if passes are missing, or if
            coded data holds a run of zero bytes that no picture has.
    """
    if not (layout.is_sequential or layout.is_progressive):
        return
    for scan in layout.scans:
        _check_restarts(content, layout, scan)
        _check_zeros(content, scan)
    _check_complete(layout)


def _check_restarts(content: bytes, layout: JpegLayout, scan: Scan) -> None:
    """Check that restart markers count 0 to 7 again and again, one after each interval."""
    if not scan.interval:
        return
    positions = scan.restarts
    wanted = -(-layout.n_mcus(scan) // scan.interval) - 1
    numbers = np.frombuffer(content, dtype=np.uint8)[positions + 1] & 7
    in_order = (numbers == np.arange(len(numbers)) % 8).all()
    if len(numbers) < wanted or not in_order:
        raise ImageError(
            f"is truncated or damaged ({len(numbers)} restart markers where {wanted} belong"
            f"{'' if in_order else ', and out of order'})"
        )


def _check_complete(layout: JpegLayout) -> None:
    """Check that every coefficient of every component was sent to its last bit."""
    missing = {name: bytearray(b"\xff" * _BLOCK_COEFFICIENTS) for name in layout.components}
    for scan in layout.scans:
        if scan.first <= scan.last < _BLOCK_COEFFICIENTS:
            low = bytes([scan.low]) * (scan.last + 1 - scan.first)
            for part in scan.parts:
                missing[part.component][scan.first : scan.last + 1] = low
    if any(any(bits) for bits in missing.values()):
        raise ImageError(
            "is truncated or damaged (passes are missing: it has "
            f"{len(layout.scans)}, and they do not add up to a picture)"
        )


def end_of_data(content: bytes, scan: Scan) -> int:
    """Return where the coded data of `scan` ends, without zeros that only fill up to the marker.

    Zeros that the data may end with are kept.
    """
    zeros_from = scan.start + len(content[scan.start : scan.end].rstrip(b"\0"))
    if scan.end - zeros_from < _MIN_ZEROS:
        return scan.end
    length = _impossible_zeros(scan)
    return scan.end if length is None else min(zeros_from + _MIN_ZEROS, scan.end)


def _check_zeros(content: bytes, scan: Scan) -> None:
    if content.find(bytes(_MIN_ZEROS), scan.start, scan.end) < 0:
        return
    length = _impossible_zeros(scan)
    if length is None:
        return
    # Zeros at the end may fill up to the marker: whether data is missing there, the decoder shows.
    position = content.find(bytes(length), scan.start, end_of_data(content, scan))
    if position >= 0:
        raise ImageError(
            f"is truncated or damaged ({length} zero bytes or more in its coded data, from byte "
            f"{position} on)"
        )


def _impossible_zeros(scan: Scan) -> int | None:
    """Return how many zero bytes in a row no encoder writes; `None` where it may write any number.

    Zero bits are one code again and again. Where that code means "no change" or "end of block", a
    picture of one colour is made of them. Where it means a coefficient, the run describes blocks in
    which each coefficient has one and the same value, and three MCUs of it one after the other are
    no picture.
    """
    if scan.high:
        return None  # refinement: zero bits mean "nothing to add"
    n_bits, is_possible = 0, True
    for part in scan.parts:
        block, possible = 0, True
        if scan.first == 0:
            block, possible = _dc_bits(part.dc)
        if scan.last:
            ac_bits, ac_possible = _ac_bits(part.ac, scan)
            block, possible = block + ac_bits, possible and ac_possible
        n_bits += part.n_blocks * block
        is_possible &= possible
    return None if is_possible else max(_MIN_ZEROS, 3 * n_bits // 8)


def _dc_bits(code: CodeOfZeros | None) -> tuple[int, bool]:
    """Return the bits of one DC value of zero bits, and whether it may repeat for ever."""
    if code is None:
        return 0, True
    return code.n_bits + code.symbol, code.symbol == 0


def _ac_bits(code: CodeOfZeros | None, scan: Scan) -> tuple[int, bool]:
    """Return the bits of one block's AC values of zero bits, and whether it may repeat for ever."""
    if code is None:
        return 0, True
    run, size = code.symbol >> 4, code.symbol & 15
    if size == 0 and run < 15:
        return code.n_bits + run, True  # the end of one block, or of 2 ** run blocks
    n_symbols = -(-(scan.last - max(scan.first, 1) + 1) // (run + 1))
    return n_symbols * (code.n_bits + size), False
