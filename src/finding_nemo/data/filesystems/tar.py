"""Tar shards: where each image is in one, so that it can be read without what stands before it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import BinaryIO

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.text.printable import printable
from finding_nemo.data.filesystems.filesystem import file_system_of, unreadable_reason
from finding_nemo.data.filesystems.name_text import name_of_text, text_of_name
from finding_nemo.data.filesystems.passed_over import PassedOver, is_hidden
from finding_nemo.data.filesystems.tar_headers import BLOCK, Entry, read_entries
from finding_nemo.data.images.decode import IMAGE_SUFFIXES

TAR_SUFFIXES = frozenset({".tar"})
PACKED_TAR_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
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
        with file_system_of(tar_path, limits).open(tar_path) as file:
            for entry in read_entries(file):
                is_damage = not entry.name and entry.failure is not None
                if not is_damage and not _is_wanted(entry, tar_path, passed):
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


def inside(member: str) -> str:
    """Return a member's name without what would lead out of its tar."""
    return "/".join(part for part in member.split("/") if part not in ("", ".", ".."))


def tar_of(path: str) -> str:
    """Return the tar of an address that `member_path` made."""
    return name_of_text(path.split("::", 1)[1])


def _without_separator(member: str) -> str:
    """Escape every colon beside another one, and a last one, as `%x3A`."""
    return re.sub(r":(?=:)|(?<=:):|:$", "%x3A", member)


def _is_ended(file: BinaryIO) -> bool:
    """Return whether a tar ends with a block of zeros, as every whole one does."""
    size = file.seek(0, 2)
    file.seek(max(0, size - BLOCK))
    return not file.read(BLOCK).strip(b"\0")


class _Links:
    """Where the members of a tar are, by name: read through once, when a link is met."""

    def __init__(self, file: BinaryIO) -> None:
        self._members: dict[str, list[Entry]] = {}
        for entry in read_entries(file):
            if entry.name and entry.is_file:
                self._members.setdefault(_plain(entry.name), []).append(entry)

    def resolved(self, entry: Entry) -> Entry:
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

    def _target(self, link: Entry) -> Entry | None:
        """Return the member that a link names: a hard link one before it, the last of that name."""
        folder = "" if link.is_hard else _plain(link.name).rpartition("/")[0]
        members = self._members.get(_plain(f"{folder}/{link.link}"), [])
        if link.link.startswith("/") and not link.is_hard:
            members = []
        n_known = bisect_left(members, link.at, key=_at) if link.is_hard else len(members)
        return members[n_known - 1] if n_known else None


def _at(entry: Entry) -> int:
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


def _is_wanted(entry: Entry, tar_path: str, passed: PassedOver) -> bool:
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
