"""Folders and files, on this machine or behind a URL, listed and read in one way.

A URL is anything with "://" that fsspec knows (s3, gs, https, memory, ...). Local paths never
touch fsspec.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from finding_nemo.core.errors import DatasetError, ImageError, MissingExtraError
from finding_nemo.core.extras import install_hint

_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Folder:
    """What one folder holds, names only, sorted."""

    folders: tuple[str, ...]
    files: tuple[str, ...]


class Files(Protocol):
    """Where files are: a disk or a store. Paths are text, with "/" between names."""

    def is_folder(self, path: str) -> bool:
        """Return whether `path` is a folder."""
        ...

    def listed(self, path: str) -> Folder:
        """Return what `path` holds."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading; the file can seek."""
        ...

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on."""
        ...


class LocalFiles:
    """The files of this machine."""

    def is_folder(self, path: str) -> bool:
        """Return whether `path` is a folder."""
        return os.path.isdir(path)

    def listed(self, path: str) -> Folder:
        """Return what `path` holds; a link to a folder is a folder."""
        folders: list[str] = []
        files: list[str] = []
        with os.scandir(path or ".") as entries:
            for entry in entries:
                (folders if entry.is_dir() else files).append(entry.name)
        return Folder(tuple(sorted(folders)), tuple(sorted(files)))

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading."""
        return Path(path).open("rb")

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on."""
        with Path(path).open("rb") as file:
            file.seek(start)
            return file.read(size)


class RemoteFiles:
    """The files of one fsspec file system."""

    def __init__(self, protocol: str) -> None:
        """Connect to nothing yet.

        Raises:
            MissingExtraError: If fsspec, or what it needs for `protocol`, is not installed.
            DatasetError: If the protocol is unknown.
        """
        try:
            import fsspec

            # A listing of ten million names must not be kept in memory.
            self._system: Any = fsspec.filesystem(protocol, use_listings_cache=False)
        except ImportError as error:
            raise MissingExtraError(
                f"Reading {protocol}:// needs a library that is not installed ({error}). "
                + install_hint("remote")
            ) from None
        except ValueError as error:
            raise DatasetError(f"{protocol}:// cannot be read: {error}.") from None

    def is_folder(self, path: str) -> bool:
        """Return whether `path` is a folder."""
        return bool(self._system.isdir(path))

    def listed(self, path: str) -> Folder:
        """Return what `path` holds."""
        folders: list[str] = []
        files: list[str] = []
        for entry in self._system.ls(path, detail=True):
            name = str(entry["name"]).rstrip("/").rsplit("/", 1)[-1]
            if name and name != path.rstrip("/").rsplit("/", 1)[-1]:
                (folders if entry["type"] == "directory" else files).append(name)
        return Folder(tuple(sorted(folders)), tuple(sorted(files)))

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading."""
        return cast(BinaryIO, self._system.open(path, "rb"))

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on."""
        return bytes(self._system.cat_file(path, start=start, end=start + size))

    def read_whole(self, path: str) -> bytes:
        """Return all bytes of `path`."""
        return bytes(self._system.cat_file(path))


def is_url(name: str) -> bool:
    """Return whether `name` is a URL and not a local path."""
    return "://" in name


@lru_cache(maxsize=16)
def _remote(protocol: str) -> RemoteFiles:
    return RemoteFiles(protocol)


def files_of(name: str) -> Files:
    """Return where `name` is."""
    return _remote(name.partition("://")[0]) if is_url(name) else LocalFiles()


def has_wildcard(name: str) -> bool:
    """Return whether `name` is a pattern with `*`, `?` or `[`."""
    return not _MAGIC.isdisjoint(name)


def walk(folder: str) -> Iterator[str]:
    """Yield every file below `folder`, in order of path, one folder in memory at a time."""
    found = files_of(folder).listed(folder)
    # With "/" behind a folder's name, the order is that of the whole paths.
    entries = sorted([*found.files, *(f"{name}/" for name in found.folders)])
    for entry in entries:
        path = joined(folder, entry.rstrip("/"))
        if entry.endswith("/"):
            yield from walk(path)
        else:
            yield path


def matching(pattern: str) -> Iterator[str]:
    """Yield the files that `pattern` names, in order; `**` stands for folders at any depth."""
    parts = pattern.split("/")
    first = next(place for place, part in enumerate(parts) if has_wildcard(part))
    root = "/" if pattern.startswith("/") else ""
    yield from _matching("/".join(parts[:first]) or root, parts[first:])


def _matching(folder: str, parts: list[str]) -> Iterator[str]:
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _matching_below(folder, rest or ["*"])
        return
    found = files_of(folder).listed(folder)
    if not rest:
        yield from (joined(folder, name) for name in found.files if fnmatchcase(name, part))
        return
    for name in found.folders:
        if fnmatchcase(name, part):
            yield from _matching(joined(folder, name), rest)


def _matching_below(folder: str, parts: list[str]) -> Iterator[str]:
    yield from _matching(folder, parts)
    for name in files_of(folder).listed(folder).folders:
        yield from _matching_below(joined(folder, name), parts)


def joined(folder: str, name: str) -> str:
    """Return the path of `name` in `folder`."""
    if not folder:
        return name
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def read_file(name: str) -> bytes:
    """Return the bytes of an image that is not a local file.

    Raises:
        ImageError: If it cannot be read; the message does not hold the path.
    """
    try:
        return _remote(name.partition("://")[0]).read_whole(name)
    except Exception as error:
        raise ImageError(unreadable_reason(error)) from None


def read_range(name: str, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start` on.

    Raises:
        ImageError: If they cannot be read; the message does not hold the path.
    """
    try:
        content = files_of(name).read(name, start, size)
    except Exception as error:
        raise ImageError(unreadable_reason(error)) from None
    if len(content) != size:
        raise ImageError(f"ends after {len(content)} of {size} bytes")
    return content


def unreadable_reason(error: Exception) -> str:
    """Return why a file cannot be read; stores raise classes of their own, all unlisted."""
    if isinstance(error, ImageError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "file not found"
    if isinstance(error, PermissionError):
        return "may not be read (permission denied)"
    return f"cannot be read ({type(error).__name__}: {error})"
