"""Open every image of a data set once: missing, unreadable, twice the same, nearly the same."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import ProgressCallback, no_progress
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.quality.duplicates import HASH_WORDS, equal_groups, scene_hash
from finding_nemo.data.quality.look_alikes import find_look_alikes

# Decoding releases Python's lock; two threads fill the two cores of a small laptop.
_THREADS = 2
# Frames of more rows are reduced while they are decoded, which is two to seven times faster. Of
# 32 x 32 cells, from which frames are compared, each still holds 16 x 16 pixels.
_ENOUGH_PX = (512, 512)
# Larger files are not held whole beside their pixels.
_HELD_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class FileFault:
    """A file that cannot be used, and why."""

    image_id: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two frames that look alike: their hashes differ in `bits` of 256."""

    first: ImageRecord
    second: ImageRecord
    bits: int


@dataclass(frozen=True)
class FileCheck:
    """What opening the files showed.

    Attributes:
        n_checked: Files looked for.
        missing: Listed, but not there.
        unreadable: There, but no usable image.
        resized: Readable, but not of the recorded size.
        duplicates: Groups of files with equal bytes.
        near: Pairs that look alike without being equal, most alike first, at most 200; frames of
            one dive excepted, which resemble each other anyway.
        n_near_across: Frames that have such a look-alike in another dive.
        n_near_in_dive: Frames that have a look-alike in their own dive.
        is_near_complete: Whether both were counted to the end; otherwise there may be more.
    """

    n_checked: int
    missing: tuple[FileFault, ...]
    unreadable: tuple[FileFault, ...]
    resized: tuple[FileFault, ...]
    duplicates: tuple[tuple[ImageRecord, ...], ...]
    near: tuple[NearPair, ...]
    n_near_across: int
    n_near_in_dive: int
    is_near_complete: bool = True

    @property
    def n_usable(self) -> int:
        """Files that could be decoded."""
        return self.n_checked - len(self.missing) - len(self.unreadable)


@dataclass(frozen=True, slots=True)
class FaultCount:
    """How many files have one and the same fault, and the first of them."""

    reason: str
    n_files: int
    first: FileFault


def count_faults(faults: Iterable[FileFault]) -> tuple[FaultCount, ...]:
    """Return each reason with its files, the most frequent first."""
    faults = tuple(faults)
    first: dict[str, FileFault] = {}
    for fault in faults:
        first.setdefault(fault.reason, fault)
    counts = Counter(fault.reason for fault in faults)
    return tuple(FaultCount(reason, n, first[reason]) for reason, n in counts.most_common())


@dataclass(frozen=True, slots=True)
class _Looked:
    fault: str | None = None
    missing: bool = False
    size: tuple[int, int] = (0, 0)
    digest: str = ""
    looks: npt.NDArray[np.uint64] | None = None


def check_files(
    records: Sequence[ImageRecord], *, progress: ProgressCallback = no_progress
) -> FileCheck:
    """Open every file and compare it with all others.

    Args:
        records: The images; a file that is absent is reported, not fatal.
        progress: Told after each file.
    """
    looked = []
    seen: dict[str, _Looked] = {}
    paths = (record.path for record in records)
    for found in prefetch_map(lambda path: _look(path, seen), paths, threads=_THREADS):
        looked.append(found)
        progress(len(looked), len(records))
    readable = [number for number, found in enumerate(looked) if found.looks is not None]
    groups = equal_groups([looked[number].digest for number in readable])
    alike = find_look_alikes(
        _hashes(looked[number] for number in readable),
        [records[number].dive for number in readable],
        [looked[number].digest for number in readable],
    )
    pairs = list(zip(records, looked, strict=True))
    return FileCheck(
        n_checked=len(records),
        missing=_faults((r, found.fault) for r, found in pairs if found.missing),
        unreadable=_faults((r, found.fault) for r, found in pairs if not found.missing),
        resized=_faults((r, _other_size(r, found)) for r, found in pairs),
        duplicates=tuple(tuple(records[readable[n]] for n in group) for group in groups),
        near=tuple(
            NearPair(records[readable[a]], records[readable[b]], bits) for a, b, bits in alike.pairs
        ),
        n_near_across=int(alike.across.sum()),
        n_near_in_dive=int(alike.in_dive.sum()),
        is_near_complete=alike.is_complete,
    )


def _look(path: Path, seen: dict[str, _Looked]) -> _Looked:
    """Open a file; files with the same bytes as one in `seen` are what that one is."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return _Looked(fault="is a folder, pipe or device, not a file")
        content = path.read_bytes() if status.st_size <= _HELD_BYTES else None
        digest = _digest_of(path) if content is None else hashlib.sha256(content).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return _Looked(fault="file not found", missing=True)
    except (OSError, ValueError) as error:
        return _Looked(fault=f"cannot be read ({getattr(error, 'strerror', None) or error})")
    if digest not in seen:
        seen[digest] = _decoded(path if content is None else content, digest)
    return seen[digest]


def _decoded(source: Path | bytes, digest: str) -> _Looked:
    try:
        found = decode_image(source, at_least=_ENOUGH_PX)
    except ImageError as error:
        return _Looked(fault=str(error))
    return _Looked(size=(found.width, found.height), digest=digest, looks=scene_hash(found.pixels))


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashes(looked: Iterable[_Looked]) -> npt.NDArray[np.uint64]:
    hashes = [found.looks for found in looked if found.looks is not None]
    return np.array(hashes, dtype=np.uint64).reshape(len(hashes), HASH_WORDS)


def _faults(found: Iterable[tuple[ImageRecord, str | None]]) -> tuple[FileFault, ...]:
    return tuple(FileFault(r.image_id, str(r.path), why) for r, why in found if why is not None)


def _other_size(record: ImageRecord, found: _Looked) -> str | None:
    recorded = (record.width, record.height)
    if found.looks is None or None in recorded or recorded == found.size:
        return None
    return f"is {found.size[0]} x {found.size[1]} px, recorded {recorded[0]} x {recorded[1]}"
