"""Tar shards: where each image is in one, so that it can be read without what stands before it.

Headers are parsed by the standard library, block by block, from a position that only grows. Where
one is damaged, the next that is whole is looked for, so that a wrong digit costs one image and not
the rest of the tar.
"""

from __future__ import annotations

import re
import tarfile
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import BinaryIO

from finding_nemo.core.errors import ImageError
from finding_nemo.core.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.printable import printable
from finding_nemo.data.images import IMAGE_SUFFIXES
from finding_nemo.data.name_text import name_of_text, text_of_name
from finding_nemo.data.passed_over import PassedOver, is_hidden
from finding_nemo.data.places import files_of, unreadable_reason

TAR_SUFFIXES = frozenset({".tar"})
PACKED_TAR_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
# A path has at most some 4 kB; what claims more is no extended header.
_LARGEST_EXTENDED = 1 << 20
_CHECKSUM = re.compile(rb"[ \0]*[0-7]+[ \0]*")
_MAGIC_AT = 257
_PAX_RECORD = re.compile(rb"(\d{1,9}) ([^=\n]+)=")
_HARD, _SOFT, _PAX, _PAX_GLOBAL = (b"1", b"2", (b"x", b"X"), b"g")
_LONG_NAME, _LONG_LINK = b"L", b"K"
_WITHOUT_DATA = (_HARD, _SOFT, b"3", b"4", b"5", b"6")
_MOST_LINKS = 16


@dataclass(frozen=True, slots=True)
class TarMember:
    """One image file in a tar, or a place in it that is damaged.

    Attributes:
        name: Its name in the tar; "" for a damaged place.
        start: Where its bytes begin in the tar.
        size: How many bytes it has.
        failure: Why it cannot be used, where its header says so.
    """

    name: str
    start: int
    size: int
    failure: str | None = None


def image_members(
    tar_path: str, passed: PassedOver | None = None, limits: InputLimits = USUAL_LIMITS
) -> Iterator[TarMember]:
    """Yield the image files of a tar in their order, from their headers alone.

    Links are yielded with the place of the member that they lead to. Tars that were joined are
    read on.

    Args:
        tar_path: The tar.
        passed: Counts what is no image.
        limits: What a server may cost.

    Raises:
        ImageError: If it cannot be read at all; what was read before is yielded.
    """
    passed = passed or PassedOver()
    links: _Links | None = None
    try:
        with files_of(tar_path, limits).open(tar_path) as file:
            for entry in _entries(file):
                if entry.failure is None and not _is_wanted(entry, tar_path, passed):
                    continue
                if entry.link:
                    links = links or _Links(file)
                    entry = links.resolved(entry)
                yield TarMember(entry.name, entry.start, entry.size, entry.failure)
            if not _is_ended(file):
                passed.unended(tar_path)
    except ImageError:
        raise
    except Exception as error:  # stores raise classes of their own, all unlisted
        raise ImageError(unreadable_reason(error)) from None


def member_path(tar_path: str, member: str) -> str:
    """Return the address of a member as fsspec opens it: `tar://MEMBER::TAR`.

    It is valid UTF-8. A "::" in the member's name is escaped, as it ends there.
    """
    return f"tar://{_without_separator(text_of_name(member))}::{text_of_name(tar_path)}"


def tar_of(path: str) -> str:
    """Return the tar of an address that `member_path` made."""
    return name_of_text(path.split("::", 1)[1])


def _without_separator(member: str) -> str:
    """Escape every colon beside another one, and a last one, as `%x3A`."""
    return re.sub(r":(?=:)|(?<=:):|:$", "%x3A", member)


@dataclass(frozen=True, slots=True)
class _Entry:
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

    def block(self, position: int, size: int = _BLOCK) -> bytes:
        self.file.seek(position)
        return self.file.read(size)

    def next_one_said(self) -> _Extended:
        """Return what was said of the next member, and forget it."""
        said, every = self.next_one, self.every
        self.next_one = _Extended()
        return replace(
            said,
            name=every.name if said.name is None else said.name,
            link=every.link if said.link is None else said.link,
            size=every.size if said.size is None else said.size,
        )


def _entries(file: BinaryIO) -> Iterator[_Entry]:
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
                yield _Entry("", position, position, 0, failure=reason)
        position = max(end, position + 1)
    if not reader.size:
        raise ImageError("is no tar that can be read (empty file)")


def _is_ended(file: BinaryIO) -> bool:
    """Return whether a tar ends with a block of zeros, as every whole one does."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _BLOCK))
    return not file.read(_BLOCK).strip(b"\0")


def _why_none(block: bytes) -> str:
    for magic, name in _PACKED.items():
        if block.startswith(magic):
            return f"it is packed with {name}; unpack it first"
    return "truncated header" if len(block) < _BLOCK else "its first header is damaged"


def _damage(position: int, end: int) -> _Entry:
    reason = f"tar header at byte {position} is damaged; {end - position} bytes passed over"
    return _Entry("", position, position, 0, failure=reason)


def _parsed(block: bytes) -> tarfile.TarInfo | None:
    """Return a header, or `None` if it is damaged."""
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except Exception:  # garbage behind a right checksum raises more than tar's own errors
        return None
    return header if header.size >= 0 else None


def _entry(reader: _Reader, header: tarfile.TarInfo, position: int) -> tuple[_Entry | None, int]:
    """Return what a header says, if it is of a member, and where the next one is."""
    start = position + _BLOCK
    if header.type in (_LONG_NAME, _LONG_LINK, _PAX_GLOBAL, *_PAX):
        end = start + _padded(header.size)
        if header.size > _LARGEST_EXTENDED or start + header.size > reader.size:
            end = _next_header(reader, start)
            return _damage(position, end), end
        return _extended(reader, header, position), end
    said = reader.next_one_said()
    is_sparse = said.is_sparse or header.type == tarfile.GNUTYPE_SPARSE
    if header.type == tarfile.GNUTYPE_SPARSE:
        start = _after_sparse(reader, position)
    size = header.size if said.size is None else said.size
    is_link = header.type in (_HARD, _SOFT)
    entry = _Entry(
        name=said.name if said.name is not None else header.name,
        at=position,
        start=start,
        size=size,
        is_file=header.isreg() or is_link,
        link=(said.link if said.link is not None else header.linkname) if is_link else "",
        is_hard=header.type == _HARD,
        failure=None,
    )
    if header.type == _HARD and size and _holds_data(reader, start):
        entry = replace(entry, link="", is_hard=False)
    elif header.type in _WITHOUT_DATA:
        return entry, start
    if is_sparse:
        entry = replace(entry, failure=_of_image(entry, "is stored as a sparse file in its tar"))
    end = start + _padded(size)
    # What ends behind the tar's end, or lies about its size: headers may follow all the same.
    return entry, end if start + size <= reader.size else _next_header(reader, start)


def _holds_data(reader: _Reader, start: int) -> bool:
    """Return whether a hard link's own bytes follow it, as POSIX allows: no header does."""
    block = reader.block(start)
    return bool(block.strip(b"\0")) and _parsed(block) is None


def _of_image(entry: _Entry, failure: str) -> str | None:
    return failure if _suffix(entry.name) in IMAGE_SUFFIXES else None


def _extended(reader: _Reader, header: tarfile.TarInfo, position: int) -> _Entry | None:
    """Keep what an extended header says of the next member; return a failure if it is damaged."""
    content = reader.block(position + _BLOCK, header.size)
    said = reader.every if header.type == _PAX_GLOBAL else reader.next_one
    if header.type in (_LONG_NAME, _LONG_LINK):
        text = content.split(b"\0")[0].decode("utf-8", "surrogateescape")
        if header.type == _LONG_NAME:
            said.name = text
        else:
            said.link = text
        return None
    try:
        said.take(_pax_records(content))
    except ValueError:
        reason = f"extended tar header at byte {position} is damaged; the next name may be short"
        return _Entry("", position, position, 0, failure=reason)
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
    start, more = position + _BLOCK, reader.block(position)[482:483]
    while more not in (b"", b"\0"):
        more = reader.block(start)[504:505]
        start += _BLOCK
    return start


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _after_zeros(reader: _Reader, position: int) -> int:
    """Return where the first block begins that is not all zeros."""
    while position < reader.size:
        chunk = reader.block(position, _CHUNK)
        zeros = len(chunk) - len(chunk.lstrip(b"\0"))
        position += zeros if zeros == len(chunk) else zeros // _BLOCK * _BLOCK
        if not chunk or zeros < len(chunk):
            return position if chunk else reader.size
    return reader.size


def _next_header(reader: _Reader, position: int) -> int:
    """Return where the next header is that is whole; the tar's end if none is.

    Headers are looked for at every block from `position` on, and wherever their magic word stands:
    behind a part that was cut off they lie at no multiple of a block.
    """
    while position < reader.size:
        chunk = reader.block(position, _CHUNK + _BLOCK - 1)
        if len(chunk) < _BLOCK:
            break
        for place in _candidates(chunk):
            block = chunk[place : place + _BLOCK]
            if _parsed(block) is not None:
                return position + place
        position += _CHUNK
    return reader.size


def _candidates(chunk: bytes) -> list[int]:
    """Return where in `chunk` a header may begin, by its checksum field or its magic word."""
    last = min(_CHUNK, len(chunk) - _BLOCK + 1)
    found = {
        place
        for place in range(0, last, _BLOCK)
        if _CHECKSUM.fullmatch(chunk, place + 148, place + 156)
    }
    place = chunk.find(b"ustar", _MAGIC_AT)
    while place != -1:
        if place - _MAGIC_AT < last:
            found.add(place - _MAGIC_AT)
        place = chunk.find(b"ustar", place + 1)
    return sorted(found)


class _Links:
    """Where the members of a tar are, by name: read through once, when a link is met."""

    def __init__(self, file: BinaryIO) -> None:
        self._members: dict[str, list[_Entry]] = {}
        for entry in _entries(file):
            if entry.name and entry.is_file:
                self._members.setdefault(_plain(entry.name), []).append(entry)

    def resolved(self, entry: _Entry) -> _Entry:
        """Return a link with the place of what it leads to, or why it leads nowhere."""
        link = entry
        for _ in range(_MOST_LINKS):
            found = self._target(link)
            if found is None:
                where = printable(entry.link)
                return replace(entry, failure=f"is a link to {where}, which is not in the tar")
            if not found.link:
                return replace(entry, start=found.start, size=found.size, failure=found.failure)
            link = found
        return replace(entry, failure="is a link that leads back to itself")

    def _target(self, link: _Entry) -> _Entry | None:
        """Return the member that a link names: a hard link one before it, the last of that name."""
        folder = "" if link.is_hard else _plain(link.name).rpartition("/")[0]
        members = self._members.get(_plain(f"{folder}/{link.link}"), [])
        if link.link.startswith("/") and not link.is_hard:
            members = []
        n_known = bisect_left(members, link.at, key=_at) if link.is_hard else len(members)
        return members[n_known - 1] if n_known else None


def _at(entry: _Entry) -> int:
    return entry.at


def _plain(name: str) -> str:
    """Return a name in a tar without ".", ".." and doubled "/"."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if not parts:
                return f"../{name}"
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _is_wanted(entry: _Entry, tar_path: str, passed: PassedOver) -> bool:
    """Return whether a member is an image, counting those that are not."""
    if not entry.is_file:
        return False
    shown = f"{tar_path}/{entry.name}"
    if any(is_hidden(part) for part in entry.name.split("/") if part not in (".", "..")):
        passed.hidden_file(shown)
        return False
    if _suffix(entry.name) not in IMAGE_SUFFIXES:
        passed.file(shown, _suffix(entry.name))
        return False
    return True


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
