"""Folders and files, on this machine or behind a URL, listed and read in one way.

A URL is anything with "://" that fsspec knows (s3, gs, https, memory, ...). Local paths never
touch fsspec. What is far away is read within limits: no server can fill the memory or wait for
ever.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from finding_nemo.core.errors import DatasetError, FindingNemoError, ImageError, MissingExtraError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.text.printable import printable

WEB_PROTOCOLS = frozenset({"http", "https"})
# What an error of a store says of itself, cut: some hold the server's whole page.
_REASON_LENGTH = 200
# What stores read from the environment: where they are, and who asks.
_STORE_VARIABLES = ("AWS_", "AZURE_", "GCSFS_", "GOOGLE_")


@dataclass(frozen=True, slots=True)
class Folder:
    """What one folder holds, names only, sorted.

    Attributes:
        folders: Its folders, links to folders among them.
        files: All else.
        links: Those of `folders` that are links.
        faults: Why a file can be no image, where its folder says so already.
    """

    folders: tuple[str, ...]
    files: tuple[str, ...]
    links: frozenset[str] = frozenset()
    faults: Mapping[str, str] = field(default_factory=dict)


class FileSystem(Protocol):
    """Where files are: a disk, a store or a web server. Paths are text, "/" between names.

    What cannot be read raises `ImageError` with the reason, without the path.
    """

    def kind(self, path: str) -> str:
        """Return "folder", "file", or "" where nothing is."""
        ...

    def listed(self, path: str) -> Folder:
        """Return what `path` holds."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading; the file can seek."""
        ...

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on, or fewer where it ends before."""
        ...


class LocalFileSystem:
    """The files of this machine."""

    def kind(self, path: str) -> str:
        """Return "folder", "file", or "" where nothing is."""
        if os.path.isdir(path):
            return "folder"
        return "file" if os.path.exists(path) else ""

    def listed(self, path: str) -> Folder:
        """Return what `path` holds; a link to a folder is a folder."""
        folders: list[str] = []
        files: list[str] = []
        links: set[str] = set()
        faults: dict[str, str] = {}
        try:
            with os.scandir(path or ".") as entries:
                for entry in entries:
                    if _is_folder(entry):
                        folders.append(entry.name)
                        if entry.is_symlink():
                            links.add(entry.name)
                        continue
                    files.append(entry.name)
                    fault = _fault_of(entry)
                    if fault is not None:
                        faults[entry.name] = fault
        except (OSError, ValueError) as error:
            raise ImageError(unreadable_reason(error)) from None
        return Folder(tuple(sorted(folders)), tuple(sorted(files)), frozenset(links), faults)

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading."""
        try:
            return Path(path).open("rb")
        except (OSError, ValueError) as error:
            raise ImageError(unreadable_reason(error)) from None

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on, or fewer where it ends before."""
        with self.open(path) as file:
            file.seek(start)
            return file.read(size)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _fault_of(entry: os.DirEntry[str]) -> str | None:
    try:
        return None if entry.is_file() else _fault_of_mode(entry.stat().st_mode)
    except FileNotFoundError:  # a link to nothing is known when it is opened
        return None
    except OSError as error:
        return unreadable_reason(error)


_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _fault_of_mode(mode: int) -> str | None:
    for is_such, name in _SPECIAL:
        if is_such(mode):
            return f"is no regular file ({name})"
    return None


def local_fault(path: str) -> str | None:
    """Return why a local path can be no image, without opening it; `None` if it may be one.

    A pipe waits for a writer for ever, and a device may have no end.
    """
    try:
        return _fault_of_mode(os.stat(path).st_mode)
    except (OSError, ValueError) as error:
        return unreadable_reason(error)


class RemoteFileSystem:
    """The files of one fsspec file system."""

    def __init__(self, protocol: str, limits: InputLimits = USUAL_LIMITS) -> None:
        """Connect to nothing yet.

        Raises:
            MissingExtraError: If fsspec, or what it needs for `protocol`, is not installed.
            DatasetError: If the protocol is unknown.
        """
        self._limits = limits
        self._system: Any = file_system(protocol)

    def kind(self, path: str) -> str:
        """Return "folder", "file", or "" where nothing is."""
        try:
            if self._system.isdir(path):
                return "folder"
            found = self._system.info(path)["type"]
        except FileNotFoundError:
            return ""
        except Exception as error:  # stores raise classes of their own, all unlisted
            raise ImageError(unreadable_reason(error)) from None
        return "folder" if found == "directory" else "file"

    def listed(self, path: str) -> Folder:
        """Return what `path` holds."""
        folders: list[str] = []
        files: list[str] = []
        try:
            own = str(self._system._strip_protocol(path)).rstrip("/")
            for entry in self._system.ls(path, detail=True):
                whole = str(entry["name"]).rstrip("/")
                name = whole.rsplit("/", 1)[-1]
                if name and whole != own:  # a store may list the folder in itself
                    (folders if entry["type"] == "directory" else files).append(name)
        except Exception as error:
            raise ImageError(unreadable_reason(error)) from None
        return Folder(tuple(sorted(folders)), tuple(sorted(files)))

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading."""
        try:
            return cast(BinaryIO, self._system.open(path, "rb"))
        except Exception as error:
            raise ImageError(unreadable_reason(error)) from None

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on, or fewer where it ends before."""
        try:
            return self._range(path, start, start + size)
        except FileNotFoundError as error:
            raise ImageError(unreadable_reason(error)) from None
        except Exception as error:
            if self._is_empty(path):  # a store may refuse any part of nothing
                return b""
            raise ImageError(unreadable_reason(error)) from None

    def _range(self, path: str, start: int, end: int) -> bytes:
        if not getattr(self._system, "async_impl", False):
            return bytes(self._system.cat_file(path, start=start, end=end))
        from fsspec.asyn import sync

        async def wanted() -> bytes:
            async with asyncio.timeout(self._limits.max_seconds):
                return bytes(await self._system._cat_file(path, start=start, end=end))

        return cast(bytes, sync(self._system.loop, wanted))

    def _is_empty(self, path: str) -> bool:
        try:
            return bool(self._system.info(path)["size"] == 0)
        except Exception:
            return False


def file_system(protocol: str) -> Any:  # noqa: ANN401 - fsspec is optional and untyped
    """Return the fsspec file system for a protocol.

    Raises:
        MissingExtraError: If fsspec, or what it needs for `protocol`, is not installed.
        DatasetError: If the protocol is unknown.
    """
    try:
        import fsspec

        # A listing of ten million names must not be kept in memory. What fsspec keeps of earlier
        # calls knows the environment of those calls: an address or key set since would be missed.
        return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        raise MissingExtraError(
            f"Reading {protocol}:// needs a library that is not installed ({error}). "
            + install_hint("remote")
        ) from None
    except Exception as error:  # an unknown protocol, or one that needs settings
        raise DatasetError(f"{printable(protocol)}:// cannot be read: {error}.") from None


def is_url(name: str) -> bool:
    """Return whether `name` is a URL and not a local path."""
    return "://" in name


def protocol_of(name: str) -> str:
    """Return what stands before "://"; "" for a local path."""
    return name.partition("://")[0].lower() if is_url(name) else ""


def is_web(name: str) -> bool:
    """Return whether `name` is an address of a web server."""
    return protocol_of(name) in WEB_PROTOCOLS


def path_part(name: str) -> str:
    """Return `name` without what follows the path in an address of the web (`?sig=...`)."""
    return name.partition("#")[0].partition("?")[0] if is_web(name) else name


@lru_cache(maxsize=16)
def _remote(
    protocol: str,
    limits: InputLimits,
    settings: frozenset[tuple[str, str]],
) -> FileSystem:
    """Return a file system; `settings` only tell one store from another of the same protocol."""
    if protocol in WEB_PROTOCOLS:
        from finding_nemo.data.filesystems.web_files import WebFileSystem

        return WebFileSystem(protocol, limits)
    return RemoteFileSystem(protocol, limits)


def file_system_of(name: str, limits: InputLimits = USUAL_LIMITS) -> FileSystem:
    """Return where `name` is."""
    if not is_url(name):
        return LocalFileSystem()
    settings = (item for item in os.environ.items() if item[0].startswith(_STORE_VARIABLES))
    return _remote(protocol_of(name), limits, frozenset(settings))


def joined(folder: str, name: str) -> str:
    """Return the path of `name` in `folder`."""
    if not folder:
        return name
    return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"


def read_file(name: str, limits: InputLimits = USUAL_LIMITS) -> bytes:
    """Return the bytes of a file that is not local.

    Raises:
        ImageError: If it cannot be read, is larger than the limit or takes longer; the message
            does not hold the path.
    """
    largest = limits.max_file_bytes
    content = _read(name, 0, largest + 1, limits)
    if len(content) > largest:
        raise ImageError(f"is larger than the {_in_words(largest)} that are read")
    return content


def read_range(name: str, start: int, size: int, limits: InputLimits = USUAL_LIMITS) -> bytes:
    """Return `size` bytes of a file from `start` on.

    Raises:
        ImageError: If they cannot be read, or are more than the limit; the message does not hold
            the path.
    """
    if size > limits.max_file_bytes:
        raise ImageError(
            f"has {_in_words(size)}, more than the {_in_words(limits.max_file_bytes)} that are read"
        )
    fault = None if is_url(name) else local_fault(name)
    if fault is not None:
        raise ImageError(fault)
    content = _read(name, start, size, limits)
    if len(content) != size:
        raise ImageError(f"ends after {len(content)} of {size} bytes")
    return content


def _read(name: str, start: int, size: int, limits: InputLimits) -> bytes:
    try:
        return file_system_of(name, limits).read(name, start, size)
    except Exception as error:
        raise ImageError(unreadable_reason(error)) from None


def open_list(name: str, limits: InputLimits = USUAL_LIMITS) -> BinaryIO:
    """Open a list of images; one that is far away is read whole, within the limits.

    Raises:
        DatasetError: If it cannot be read.
    """
    try:
        return io.BytesIO(read_file(name, limits)) if is_url(name) else LocalFileSystem().open(name)
    except ImageError as error:
        raise DatasetError(f"The list {printable(name)} is not read ({error}).") from None


def _in_words(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1_000_000 else f"{size:,} bytes"


def unreadable_reason(error: Exception) -> str:
    """Return why a file cannot be read, without its path.

    Stores raise classes of their own, all unlisted.
    """
    if isinstance(error, FindingNemoError):
        return str(error).rstrip(".")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "file not found"
    if isinstance(error, PermissionError):
        return "may not be read (permission denied)"
    if isinstance(error, TimeoutError):
        return "is not read: the server gave no whole answer in time"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "is a link that leads back to itself"
    reason = error.strerror if isinstance(error, OSError) else None
    words = " ".join(printable(line.strip()) for line in str(reason or error).splitlines())
    return f"cannot be read ({type(error).__name__}: {words[:_REASON_LENGTH]})"
