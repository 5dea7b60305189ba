"""Where things are in a JPEG file, without decoding it: frame, tables, scans, restart markers.

Source: ITU-T T.81 (1992), annex B.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Ints
from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits

_SOI, _EOI, _SOS, _DHT, _DRI, _DAC = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD, 0xCC
_SOF = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_HUFFMAN_SEQUENTIAL = frozenset({0xC0, 0xC1})
_PROGRESSIVE = 0xC2
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# Bytes that are searched at a time, at first and at most: most scans are short, and a hostile file
# of 512 MB would need 4 GB for positions.
_FIRST_BLOCK, _BLOCK = 1 << 16, 1 << 22
# A file with 500 MB of metadata has 8,000 segments, each of 64 kB at most.
_MAX_MARKERS = 50_000
# One restart marker an MCU of 16 x 16 px in 100 megapixels is 390,000.
_MAX_RESTARTS = 4_000_000
_TOO_MANY = "is truncated or damaged (it holds more markers than a JPEG can use)"

_IS_RESTART = np.zeros(256, dtype=bool)
_IS_RESTART[0xD0:0xD8] = True
_IS_MARKER = ~_IS_RESTART
_IS_MARKER[[0x00, 0xFF]] = False
_MARKERS = frozenset(np.flatnonzero(_IS_MARKER).tolist())

_NONE: Ints = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class CodeOfZeros:
    """What zero bits mean in one Huffman table.

    Attributes:
        symbol: The symbol of the code that is zeros only.
        n_bits: Its length.
    """

    symbol: int
    n_bits: int


@dataclass(frozen=True, slots=True)
class Part:
    """One colour component in a scan.

    Attributes:
        component: Its number in the file.
        n_blocks: Blocks of 8 x 8 in an MCU of this scan.
        dc: What zero bits mean in its DC table, if it has one.
        ac: The same of its AC table.
    """

    component: int
    n_blocks: int
    dc: CodeOfZeros | None
    ac: CodeOfZeros | None


@dataclass(frozen=True, slots=True)
class Scan:
    """One pass over the picture.

    Attributes:
        start: Where its coded data begins.
        end: Where the next marker that is no restart begins, or the file ends.
        parts: The components in it.
        first: First coefficient in it, 0 to 63.
        last: Last coefficient.
        high: Bits of them sent before; 0 in a first pass.
        low: Bits of them still to come; 0 where these are the last.
        interval: MCUs between restart markers; 0 for none.
        restarts: Where the restart markers are, if there is an interval.
    """

    start: int
    end: int
    parts: tuple[Part, ...]
    first: int
    last: int
    high: int
    low: int
    interval: int
    restarts: Ints


@dataclass(slots=True)
class JpegLayout:
    """One JPEG file.

    Attributes:
        width: In px.
        height: In px.
        is_sequential: Whether it is Huffman-coded, not progressive.
        is_progressive: Whether it is Huffman-coded, progressive.
        components: Sampling factors (horizontal, vertical) of each component.
        scans: In order.
        end: Where the end marker is; `None` if there is none.
    """

    width: int = 0
    height: int = 0
    is_sequential: bool = False
    is_progressive: bool = False
    components: dict[int, tuple[int, int]] = field(default_factory=dict)
    scans: list[Scan] = field(default_factory=list)
    end: int | None = None

    def n_mcus(self, scan: Scan) -> int:
        """Return how many MCUs `scan` has."""
        widest = max(h for h, _ in self.components.values())
        tallest = max(v for _, v in self.components.values())
        if len(scan.parts) > 1:
            return -(-self.width // (8 * widest)) * -(-self.height // (8 * tallest))
        h, v = self.components[scan.parts[0].component]
        columns, rows = -(-self.width * h // widest), -(-self.height * v // tallest)
        return -(-columns // 8) * -(-rows // 8)


def read_layout(content: bytes, limits: InputLimits) -> JpegLayout | None:
    """Return where things are in a JPEG file, so far as it can be followed.

    Bytes between segments are passed over, as the decoder does.

    Args:
        content: The file.
        limits: How many scans it may have.

    Returns:
        `None` if its frame or scans cannot be read.

    Raises:
        ImageError: If it has more scans or markers than a file may have.
    """
    return _Reader(content, limits).read()


class _Reader:
    """Follows the markers of one file."""

    def __init__(self, content: bytes, limits: InputLimits) -> None:
        self._content = content
        self._limits = limits
        self._found = JpegLayout()
        self._tables: dict[int, CodeOfZeros] = {}
        self._interval = 0
        self._left = _MAX_MARKERS

    def read(self) -> JpegLayout | None:
        try:
            self._follow()
        except (IndexError, KeyError, struct.error):
            return None
        return self._found if self._found.scans and self._found.components else None

    def _follow(self) -> None:
        position = 2
        while (marker := self._next(position)) < len(self._content):
            kind = self._content[marker + 1]
            position = marker + 2
            if kind == _EOI:
                self._found.end = marker
                return
            if kind == _SOI:
                return
            if kind in _BARE:
                continue
            (length,) = struct.unpack_from(">H", self._content, position)
            body = self._content[position + 2 : position + length]
            position += length
            if kind == _SOS:
                position = self._scan(body, position)
            else:
                self._segment(kind, body)

    def _next(self, position: int) -> int:
        """Return where the next marker is, or the file's length."""
        self._left -= 1
        if self._left < 0:
            raise ImageError(_TOO_MANY)
        content = self._content
        at_once = content[position : position + 1] == b"\xff" and content[position + 1] in _MARKERS
        return position if at_once else _first_marker(content, position)

    def _segment(self, kind: int, body: bytes) -> None:
        if kind in _SOF:
            self._frame(kind, body)
        elif kind == _DHT:
            self._huffman(body)
        elif kind == _DRI:
            (self._interval,) = struct.unpack_from(">H", body)

    def _frame(self, kind: int, body: bytes) -> None:
        found = self._found
        found.is_sequential = kind in _HUFFMAN_SEQUENTIAL
        found.is_progressive = kind == _PROGRESSIVE
        found.height, found.width, count = struct.unpack_from(">HHB", body, 1)
        for number in range(count):
            name, sampling = body[6 + 3 * number], body[7 + 3 * number]
            found.components[name] = (max(sampling >> 4, 1), max(sampling & 15, 1))

    def _huffman(self, body: bytes) -> None:
        position = 0
        while position + 17 <= len(body):
            counts = body[position + 1 : position + 17]
            n_bits = next((n for n, count in enumerate(counts, start=1) if count), 0)
            if n_bits:
                self._tables[body[position]] = CodeOfZeros(body[position + 17], n_bits)
            position += 17 + sum(counts)

    def _scan(self, body: bytes, start: int) -> int:
        """Note a scan whose data begins at `start`, and return where it ends."""
        found, count = self._found, body[0]
        parts = []
        for number in range(count):
            name, tables = body[1 + 2 * number], body[2 + 2 * number]
            h, v = found.components[name]
            dc, ac = self._tables.get(tables >> 4), self._tables.get(0x10 | tables & 15)
            parts.append(Part(name, h * v if count > 1 else 1, dc, ac))
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        end = self._next(start)
        while end > start and self._content[end - 1] == 0xFF:
            end -= 1  # bytes that fill up to a marker
        interval = self._interval
        restarts = _restarts(self._content, start, end) if interval else _NONE
        high, low = bits >> 4, bits & 15
        found.scans.append(
            Scan(start, end, tuple(parts), first, last, high, low, interval, restarts)
        )
        if len(found.scans) > self._limits.max_scans:
            raise ImageError(f"has more than the {self._limits.max_scans} scans that are decoded")
        return end


def _first_marker(content: bytes, position: int) -> int:
    """Return where the first marker from `position` on is, restarts aside, or the file's length."""
    size = _FIRST_BLOCK
    while position + 1 < len(content):
        at, kinds = _marked(content, position, min(size, len(content) - 1 - position))
        hits = np.flatnonzero(_IS_MARKER[kinds])
        if hits.size:
            return position + int(at[hits[0]])
        position, size = position + size, min(4 * size, _BLOCK)
    return len(content)


def _restarts(content: bytes, start: int, end: int) -> Ints:
    """Return where the restart markers between `start` and `end` are."""
    found, count = [_NONE], 0
    for position in range(start, end - 1, _BLOCK):
        at, kinds = _marked(content, position, min(_BLOCK, end - 1 - position))
        found.append(at[_IS_RESTART[kinds]] + position)
        count += len(found[-1])
        if count > _MAX_RESTARTS:
            raise ImageError(_TOO_MANY)
    return np.concatenate(found)


def _marked(content: bytes, position: int, size: int) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Return where in `size` bytes from `position` on 0xFF stands, and the bytes behind."""
    block = np.frombuffer(content, np.uint8, count=size + 1, offset=position)
    at = np.flatnonzero(block[:-1] == 0xFF)
    return at, block[at + 1]
