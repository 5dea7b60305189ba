"""Tar shards: where each image is in one, so that it can be read without what stands before it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from finding_nemo.core.errors import ImageError
from finding_nemo.data.images import IMAGE_SUFFIXES
from finding_nemo.data.places import files_of, unreadable_reason

TAR_SUFFIXES = frozenset({".tar"})
PACKED_TAR_SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


@dataclass(frozen=True, slots=True)
class TarMember:
    """One image file in a tar.

    Attributes:
        name: Its name in the tar.
        start: Where its bytes begin in the tar.
        size: How many bytes it has.
    """

    name: str
    start: int
    size: int


def image_members(tar_path: str) -> Iterator[TarMember]:
    """Yield the image files of a tar in their order, from their headers alone.

    Raises:
        ImageError: If it cannot be read, or ends too early; what was read before is yielded.
    """
    try:
        with (
            files_of(tar_path).open(tar_path) as file,
            tarfile.open(fileobj=file, mode="r:") as tar,
        ):
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined] # it would keep every header
                suffix = PurePosixPath(member.name).suffix.lower()
                if member.isfile() and suffix in IMAGE_SUFFIXES:
                    yield TarMember(member.name, member.offset_data, member.size)
    except tarfile.TarError as error:
        raise ImageError(f"is no tar that can be read ({error})") from None
    except OSError as error:
        raise ImageError(unreadable_reason(error)) from None


def member_path(tar_path: str, member: str) -> str:
    """Return the address of a member as fsspec opens it: `tar://MEMBER::TAR`."""
    return f"tar://{member}::{tar_path}"


def tar_of(path: str) -> str:
    """Return the tar of an address that `member_path` made."""
    return path.split("::", 1)[1]
