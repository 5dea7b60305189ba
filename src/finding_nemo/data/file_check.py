"""Open every image of a data set once: missing, unreadable, twice the same, nearly the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.duplicates import equal_groups, near_pairs, scene_hash
from finding_nemo.data.images import decode_image

# Decoding releases Python's lock; two threads fill the two cores of a small laptop.
_THREADS = 2


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
        near: Pairs that look alike without being equal, most alike first; frames of one dive
            excepted, which resemble each other anyway.
        n_near_in_dive: Frames that have a look-alike in their own dive.
    """

    n_checked: int
    missing: tuple[FileFault, ...]
    unreadable: tuple[FileFault, ...]
    resized: tuple[FileFault, ...]
    duplicates: tuple[tuple[ImageRecord, ...], ...]
    near: tuple[NearPair, ...]
    n_near_in_dive: int


@dataclass(frozen=True, slots=True)
class _Looked:
    fault: str | None = None
    missing: bool = False
    size: tuple[int, int] = (0, 0)
    digest: str = ""
    looks: npt.NDArray[np.uint64] | None = None


def check_files(
    records: Sequence[ImageRecord], *, tick: Callable[[], None] | None = None
) -> FileCheck:
    """Open every file and compare it with all others.

    Args:
        records: The images; a file that is absent is reported, not fatal.
        tick: Called once a file, for progress.
    """
    looked = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for found in pool.map(_look, (record.path for record in records)):
            looked.append(found)
            if tick is not None:
                tick()
    readable = [number for number, found in enumerate(looked) if found.looks is not None]
    groups = equal_groups([looked[number].digest for number in readable])
    near, in_dive = _look_alikes([records[n] for n in readable], [looked[n] for n in readable])
    pairs = list(zip(records, looked, strict=True))
    return FileCheck(
        n_checked=len(records),
        missing=_faults((r, found.fault) for r, found in pairs if found.missing),
        unreadable=_faults((r, found.fault) for r, found in pairs if not found.missing),
        resized=_faults((r, _other_size(r, found)) for r, found in pairs),
        duplicates=tuple(tuple(records[readable[n]] for n in group) for group in groups),
        near=near,
        n_near_in_dive=in_dive,
    )


def _look(path: Path) -> _Looked:
    if not path.is_file():
        return _Looked(fault="file not found", missing=True)
    try:
        decoded = decode_image(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (ImageError, OSError) as error:
        return _Looked(fault=str(error))
    return _Looked(
        size=(decoded.width, decoded.height), digest=digest, looks=scene_hash(decoded.pixels)
    )


def _faults(found: Iterable[tuple[ImageRecord, str | None]]) -> tuple[FileFault, ...]:
    return tuple(FileFault(r.image_id, str(r.path), why) for r, why in found if why is not None)


def _other_size(record: ImageRecord, found: _Looked) -> str | None:
    recorded = (record.width, record.height)
    if found.looks is None or None in recorded or recorded == found.size:
        return None
    return f"is {found.size[0]} x {found.size[1]} px, recorded {recorded[0]} x {recorded[1]}"


def _look_alikes(
    records: Sequence[ImageRecord], looked: Sequence[_Looked]
) -> tuple[tuple[NearPair, ...], int]:
    hashes = [found.looks for found in looked if found.looks is not None]
    in_dive: set[int] = set()
    pairs = []
    for a, b, bits in near_pairs(np.array(hashes, dtype=np.uint64).reshape(len(hashes), -1)):
        if records[a].dive is not None and records[a].dive == records[b].dive:
            in_dive |= {a, b}
        elif looked[a].digest != looked[b].digest:
            pairs.append(NearPair(records[a], records[b], bits))
    return tuple(sorted(pairs, key=lambda pair: pair.bits)), len(in_dive)
