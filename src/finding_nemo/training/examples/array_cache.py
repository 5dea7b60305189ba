"""Rows computed from image files, kept on disk by the hash of what they were computed from.

A store is a folder of shards. A shard is one `.npy` file that is read as a memory map and one
`.json` file with the key of each row, written last: a shard without it is half-written and is
ignored. Runs that write at the same time write shards of their own, so nothing needs a lock.
"""

from __future__ import annotations

import errno
import getpass
import json
import mmap
import os
import stat
import tempfile
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import OutputError
from finding_nemo.core.files.atomic_files import raise_no_space

CACHE_VARIABLE = "FINDING_NEMO_CACHE"


@dataclass(frozen=True, slots=True)
class Cache:
    """Where caches lie.

    Attributes:
        folder: A folder that can be written.
        reason: Why it is not the usual one; "" if it is.
    """

    folder: Path
    reason: str = ""


def find_cache() -> Cache:
    """Return where caches lie: what FINDING_NEMO_CACHE names, or the user's cache folder.

    A user without a home, or with one that cannot be written (a container's, a daemon's), gets a
    folder of the system's temporary ones: nothing is lost but time when it is cleared. What a
    person named is used or refused, never replaced by another place.

    Raises:
        OutputError: If FINDING_NEMO_CACHE names a folder that cannot be written, or there is no
            temporary folder either.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        why = _why_not_writable(Path(named))
        if why:
            raise OutputError(
                f"{CACHE_VARIABLE} names {named}, which cannot be written ({why}). Name another "
                "folder, or unset it."
            )
        return Cache(Path(named))
    usual = _usual_folder()
    why = "there is no home folder" if usual is None else _why_not_writable(usual)
    if usual is not None and not why:
        return Cache(usual)
    where = "" if usual is None else f"{usual} "
    return Cache(_temporary_folder(), f"{where}cannot be used: {why}" if where else why)


def cache_folder() -> Path:
    """Return where caches lie; see `find_cache`."""
    return find_cache().folder


def _usual_folder() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "finding-nemo"
    except RuntimeError:  # neither HOME nor an entry of the user
        return None


def _why_not_writable(folder: Path) -> str:
    """Return why no file can be made in `folder`, which is made if need be; "" if one can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ""  # a full disk has a message of its own, when it matters
        return error.strerror or str(error)


def _temporary_folder() -> Path:
    """Return a folder of this user's own: in a shared one, others could put rows into it."""
    owner = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    try:
        folder = Path(tempfile.gettempdir()) / f"finding-nemo-cache-{owner}"
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        is_own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        if is_own and stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022:
            return folder
        return Path(tempfile.mkdtemp(prefix="finding-nemo-cache-"))
    except OSError as error:
        raise OutputError(
            f"No folder for the cache can be written ({error.strerror or error}). Name one with "
            f"{CACHE_VARIABLE}."
        ) from None


@dataclass(frozen=True)
class CachedRows:
    """Some rows of a store, in a wanted order, read from disk when they are asked for."""

    shards: tuple[npt.NDArray[Any], ...]
    locations: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.locations)

    def take(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the rows `indices`, in that order."""
        chosen = self.locations[indices]
        first = self.shards[0]
        out = np.empty((len(chosen), *first.shape[1:]), dtype=first.dtype)
        for number in np.unique(chosen[:, 0]):
            rows = np.flatnonzero(chosen[:, 0] == number)
            out[rows] = self.shards[number][chosen[rows, 1]]
            _let_go(self.shards[number])
        return out


def _let_go(shard: npt.NDArray[Any]) -> None:
    """Give a mapped file's pages back: once read they count as this process's memory.

    They stay in the system's cache, so reading them again copies nothing. Three passes over 4,300
    frames of 480 x 352 took 4.6 GB with them.
    """
    mapped = getattr(shard, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


class ArrayCache:
    """A folder of rows of one shape."""

    def __init__(self, folder: Path, *, row_shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        """Open the store, which need not exist yet."""
        self.folder = folder
        self.row_shape = row_shape
        self.dtype = np.dtype(dtype)
        self._shards: list[npt.NDArray[Any]] = []
        self._locations: dict[str, tuple[int, int]] = {}
        self._loaded: set[str] = set()
        self._refresh()

    def _refresh(self) -> None:
        for index_path in sorted(self.folder.glob("*.json")):
            if index_path.name in self._loaded:
                continue
            self._loaded.add(index_path.name)
            shard = _read_shard(index_path, self.row_shape)
            if shard is None:
                continue
            keys, rows = shard
            self._shards.append(rows)
            for row, key in enumerate(keys):
                self._locations.setdefault(key, (len(self._shards) - 1, row))

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Return the distinct keys that are not stored yet, in order."""
        return [key for key in dict.fromkeys(keys) if key not in self._locations]

    def add(self, keys: Sequence[str], rows: Iterable[npt.NDArray[Any] | None]) -> None:
        """Store one row a key; `None` stands for a row that could not be made and is left out.

        Raises:
            NoSpaceError: If the disk is full; what was stored before stays.
            OutputError: If the folder cannot be written.
        """
        if not keys:
            return
        name = uuid.uuid4().hex
        data_path = self.folder / f"{name}.npy"
        with raise_no_space(self.folder):
            self._make_folder()
            try:
                kept = self._write(data_path, keys, rows)
                index = self.folder / f".{name}.partial"
                index.write_text(json.dumps(kept), encoding="utf-8")
                index.rename(self.folder / f"{name}.json")
            except BaseException:
                data_path.unlink(missing_ok=True)
                raise
        self._refresh()

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except (PermissionError, NotADirectoryError, FileExistsError) as error:
            raise OutputError(
                f"Cannot write the cache {self.folder}: {error.strerror}. Name another place with "
                f"{CACHE_VARIABLE}."
            ) from None

    def _write(
        self, path: Path, keys: Sequence[str], rows: Iterable[npt.NDArray[Any] | None]
    ) -> list[str]:
        shape = (len(keys), *self.row_shape)
        kept = []
        with path.open("wb") as file:
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for key, row in zip(keys, rows, strict=True):
                if row is not None:
                    file.write(np.ascontiguousarray(row, dtype=self.dtype).tobytes())
                    kept.append(key)
            row_bytes = self.dtype.itemsize * int(np.prod(self.row_shape))
            # Rows that could not be made leave a gap at the end; the file keeps its stated length.
            file.write(b"\0" * row_bytes * (len(keys) - len(kept)))
        return kept

    def rows(self, keys: Sequence[str]) -> CachedRows:
        """Return the rows of `keys`, which must all be stored."""
        locations = np.array([self._locations[key] for key in keys], dtype=np.int64).reshape(-1, 2)
        return CachedRows(tuple(self._shards), locations)


def _read_shard(
    index: Path, row_shape: tuple[int, ...]
) -> tuple[list[str], npt.NDArray[Any]] | None:
    """Return the keys and rows of a shard; `None` if it is damaged: its rows are made again."""
    try:
        rows = np.load(index.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
        keys = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fits = isinstance(keys, list) and len(keys) <= len(rows) and rows.shape[1:] == row_shape
    return (keys, rows) if fits else None
