"""Look-alikes among many frames: seconds and memory, for frames unlike, alike, and between.

    python benchmarks/look_alikes.py hashes 100000
    python benchmarks/look_alikes.py files FOLDER

`hashes` times the search alone on made hashes; `files` runs all that `inspect` does with the files
of a folder. Each prints one JSON line a case. The peak is of the whole process so far.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.records import ImageRecord
from finding_nemo.data.quality.file_check import check_files
from finding_nemo.data.quality.look_alikes import find_look_alikes

Hashes = npt.NDArray[np.uint64]


def around_one(n: int, n_bits: int) -> Hashes:
    """Return hashes of a fixed camera: each `n_bits` from one."""
    rng = np.random.default_rng(0)
    centre = rng.integers(0, 2, 256, dtype=np.uint8)
    parts = []
    for start in range(0, n, 10_000):
        order = rng.random((min(10_000, n - start), 256)).argsort(axis=1)
        parts.append(np.packbits(centre ^ (order < n_bits), axis=1).view(np.uint64))
    return np.concatenate(parts)


def cases(n: int) -> Iterator[tuple[str, Hashes, list[str | None]]]:
    """Yield (name, hashes, dives)."""
    unlike = np.random.default_rng(1).integers(1, 2**63, (n, 4), dtype=np.uint64)
    yield "unlike, one dive", unlike, ["d"] * n
    for n_bits in (2, 5, 8, 12, 20):
        hashes = around_one(n, n_bits)
        yield f"{n_bits} bits from one, one dive", hashes, ["d"] * n
        yield f"{n_bits} bits from one, no dive known", hashes, [None] * n
        yield f"{n_bits} bits from one, 50 dives", hashes, [str(k % 50) for k in range(n)]


def measure_hashes(n: int) -> None:
    """Time the search on each case."""
    files = [str(k) for k in range(n)]
    for name, hashes, dives in cases(n):
        began, used = time.perf_counter(), time.process_time()
        found = find_look_alikes(hashes, dives, files)
        tell(
            case=name,
            n=n,
            s=time.perf_counter() - began,
            cpu_s=time.process_time() - used,
            in_dive=int(found.in_dive.sum()),
            across=int(found.across.sum()),
            is_complete=found.is_complete,
        )


def measure_files(folder: Path) -> None:
    """Time `check_files` on every image of a folder, each of no known dive."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    records = [ImageRecord(str(path), path, None) for path in paths]
    began, used = time.perf_counter(), time.process_time()
    found = check_files(records)
    tell(
        case="files",
        n=len(records),
        s=time.perf_counter() - began,
        cpu_s=time.process_time() - used,
        equal=[len(group) for group in found.duplicates[:5]],
        across=found.n_near_across,
        unreadable=len(found.unreadable),
    )


def tell(**values: object) -> None:
    """Print one line."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rounded = {key: round(v, 2) if isinstance(v, float) else v for key, v in values.items()}
    print(json.dumps({**rounded, "peak_mb": round(peak)}), flush=True)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("hashes", "files"))
    parser.add_argument("where", help="how many hashes, or a folder of images")
    asked = parser.parse_args()
    if asked.what == "hashes":
        measure_hashes(int(asked.where))
    else:
        measure_files(Path(asked.where))


if __name__ == "__main__":
    main()
