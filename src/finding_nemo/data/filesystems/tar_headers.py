"""The headers of a tar, one after the other, whatever is between them.

They are parsed by the standard library, block by block, from a position that only grows. Where one
is damaged, the next that is whole is looked for, so that a wrong digit costs one file and not the
rest of the tar.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from finding_nemo.core.errors import ImageError

_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
# A path has at most some 4 kB; what claims more is no extended header.
_LARGEST_EXTENDED = 1 << 20
_CHECKSUM = re.compile(rb"[ \0]*[0-7]+[ \0]*")
_MAGIC_AT = 257
_PAX_RECORD = re.compile(rb"(\d{1,9}) ([^=\n]+)=")
_HARD, _SOFT, _PAX, _PAX_GLOBAL = (b"1", b"2", (b"x", b"X"), b"g")
_LONG_NAME, _LONG_LINK = b"L", b"K"
_WITHOUT_DATA = (_HARD, _SOFT, b"3", b"4", b"5", b"6")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one header says, with all that stands before it for its sake."""

    name: str
    at: int
    start: int
    size: int
    is_file: bool = True
    link: str = ""
    is_hard: bool = False
    failure: str | None = None


@dataclass
class _Extended:
    """What extended headers say of the member that follows them."""

    name: str | None = None
    link: str | None = None
    size: int | None = None
    is_sparse: bool = False

    def take(self, records: dict[str, str]) -> None:
        """Take over the records of a PAX header.

        Raises:
            ValueError: If the size is no number.
        """
        self.name = records.get("GNU.sparse.name", records.get("path", self.name))
        self.link = records.get("linkpath", self.link)
        self.is_sparse |= any(key.startswith("GNU.sparse.") for key in records)
        if "size" in records:
            size = int(records["size"])
            if size < 0:
                raise ValueError(f"{size} bytes")
            self.size = size


@dataclass
class _Reader:
    """The headers of one tar, read from a position that only grows."""

    file: BinaryIO
    size: int = 0
    every: _Extended = field(default_factory=_Extended)
    next_one: _Extended = field(default_factory=_Extended)

    def __post_init__(self) -> None:
        self.size = self.file.seek(0, 2)

    def block(self, position: int, size: int = BLOCK) -> bytes:
        self.file.seek(position)
        return self.file.read(size)

    def next_with_defaults(self) -> _Extended:
        """Return what was said of the next member, and forget it."""
        extended, every = self.next_one, self.every
        self.next_one = _Extended()
        return replace(
            extended,
            name=every.name if extended.name is None else extended.name,
            link=every.link if extended.link is None else extended.link,
            size=every.size if extended.size is None else extended.size,
        )


def read_entries(file: BinaryIO) -> Iterator[Entry]:
    """Yield what each header says; a place that is damaged is an entry with a failure.

    Raises:
        ImageError: If there is no header at all.
    """
    reader = _Reader(file)
    position, n_headers = 0, 0
    while position < reader.size:
        block = reader.block(position)
        if not block.strip(b"\0"):
            # The end of a tar; another may have been joined to it.
            position = _after_zeros(reader, position)
            continue
        header = _parsed(block)
        if header is None:
            end = _next_header(reader, position)
            if not n_headers and end >= reader.size:
                raise ImageError(f"is no tar that can be read ({_why_none(block)})")
            yield _damage(position, end)
            reader.next_one = _Extended()
        else:
            n_headers += 1
            entry, end = _entry(reader, header, position)
            if entry is not None:
                yield entry
            if end > reader.size:
                reason = f"tar ends within a block, at byte {reader.size}; what followed is lost"
                yield Entry("", position, position, 0, failure=reason)
        position = max(end, position + 1)
    if not reader.size:
        raise ImageError("is no tar that can be read (empty file)")


def _why_none(block: bytes) -> str:
    for magic, name in _PACKED.items():
        if block.startswith(magic):
            return f"it is packed with {name}; unpack it first"
    return "truncated header" if len(block) < BLOCK else "its first header is damaged"


def _damage(position: int, end: int) -> Entry:
    reason = f"tar header at byte {position} is damaged; {end - position} bytes passed over"
    return Entry("", position, position, 0, failure=reason)


def _parsed(block: bytes) -> tarfile.TarInfo | None:
    """Return a header, or `None` if it is damaged."""
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except Exception:  # garbage behind a right checksum raises more than tar's own errors
        return None
    return header if header.size >= 0 else None


def _entry(reader: _Reader, header: tarfile.TarInfo, position: int) -> tuple[Entry | None, int]:
    """Return what a header says, if it is of a member, and where the next one is."""
    start = position + BLOCK
    if header.type in (_LONG_NAME, _LONG_LINK, _PAX_GLOBAL, *_PAX):
        end = start + _padded(header.size)
        if header.size > _LARGEST_EXTENDED or start + header.size > reader.size:
            end = _next_header(reader, start)
            return _damage(position, end), end
        return _extended(reader, header, position), end
    extended = reader.next_with_defaults()
    is_sparse = extended.is_sparse or header.type == tarfile.GNUTYPE_SPARSE
    if header.type == tarfile.GNUTYPE_SPARSE:
        start = _after_sparse(reader, position)
    size = header.size if extended.size is None else extended.size
    is_link = header.type in (_HARD, _SOFT)
    entry = Entry(
        name=extended.name if extended.name is not None else header.name,
        at=position,
        start=start,
        size=size,
        is_file=header.isreg() or is_link,
        link=(extended.link if extended.link is not None else header.linkname) if is_link else "",
        is_hard=header.type == _HARD,
        failure=None,
    )
    if header.type == _HARD and size and _holds_data(reader, start):
        entry = replace(entry, link="", is_hard=False)
    elif header.type in _WITHOUT_DATA:
        return entry, start
    if is_sparse:
        entry = replace(entry, failure="is stored as a sparse file in its tar")
    end = start + _padded(size)
    # What ends behind the tar's end, or lies about its size: headers may follow all the same.
    return entry, end if start + size <= reader.size else _next_header(reader, start)


def _holds_data(reader: _Reader, start: int) -> bool:
    """Return whether a hard link's own bytes follow it, as POSIX allows: no header does."""
    block = reader.block(start)
    return bool(block.strip(b"\0")) and _parsed(block) is None


def _extended(reader: _Reader, header: tarfile.TarInfo, position: int) -> Entry | None:
    """Keep what an extended header says of the next member; return a failure if it is damaged."""
    content = reader.block(position + BLOCK, header.size)
    extended = reader.every if header.type == _PAX_GLOBAL else reader.next_one
    if header.type in (_LONG_NAME, _LONG_LINK):
        text = content.split(b"\0")[0].decode("utf-8", "surrogateescape")
        if header.type == _LONG_NAME:
            extended.name = text
        else:
            extended.link = text
        return None
    try:
        extended.take(_pax_records(content))
    except ValueError:
        reason = f"extended tar header at byte {position} is damaged; the next name may be short"
        return Entry("", position, position, 0, failure=reason)
    return None


def _pax_records(content: bytes) -> dict[str, str]:
    """Return the records "LENGTH KEY=VALUE" of a PAX header.

    Raises:
        ValueError: If one is damaged.
    """
    records: dict[str, str] = {}
    place = 0
    while place < len(content) and content[place]:
        found = _PAX_RECORD.match(content, place)
        end = place + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(content):
            raise ValueError(content[place : place + 20])
        key = found[2].decode("utf-8", "surrogateescape")
        value = content[found.end() : end - 1]
        records[key] = value.split(b"\0")[0].decode("utf-8", "surrogateescape")
        place = end
    return records


def _after_sparse(reader: _Reader, position: int) -> int:
    """Return where the data of an old GNU sparse member begin, behind its maps."""
    start, more = position + BLOCK, reader.block(position)[482:483]
    while more not in (b"", b"\0"):
        more = reader.block(start)[504:505]
        start += BLOCK
    return start


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _after_zeros(reader: _Reader, position: int) -> int:
    """Return where the first block begins that is not all zeros."""
    while position < reader.size:
        chunk = reader.block(position, _CHUNK)
        zeros = len(chunk) - len(chunk.lstrip(b"\0"))
        position += zeros if zeros == len(chunk) else zeros // BLOCK * BLOCK
        if not chunk or zeros < len(chunk):
            return position if chunk else reader.size
    return reader.size


def _next_header(reader: _Reader, position: int) -> int:
    """Return where the next header is that is whole; the tar's end if none is.

    Headers are looked for at every block from `position` on, and wherever their magic word stands:
    behind a part that was cut off they lie at no multiple of a block.
    """
    while position < reader.size:
        chunk = reader.block(position, _CHUNK + BLOCK - 1)
        if len(chunk) < BLOCK:
            break
        for place in _candidates(chunk):
            block = chunk[place : place + BLOCK]
            if _parsed(block) is not None:
                return position + place
        position += _CHUNK
    return reader.size


def _candidates(chunk: bytes) -> list[int]:
    """Return where in `chunk` a header may begin, by its checksum field or its magic word."""
    last = min(_CHUNK, len(chunk) - BLOCK + 1)
    found = {
        place
        for place in range(0, last, BLOCK)
        if _CHECKSUM.fullmatch(chunk, place + 148, place + 156)
    }
    place = chunk.find(b"ustar", _MAGIC_AT)
    while place != -1:
        if place - _MAGIC_AT < last:
            found.add(place - _MAGIC_AT)
        place = chunk.find(b"ustar", place + 1)
    return sorted(found)
