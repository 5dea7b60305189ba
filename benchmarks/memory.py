"""Peak memory and time of one command over more and more images.

Run: python benchmarks/memory.py BUNDLE IMAGE_FOLDER [--counts 5000,25000,100000]

The images are those of the folder, repeated by link. The memory is the largest resident size of the
whole process. The time is fitted as a + b x images; on a machine that others use, trust the
processor time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from finding_nemo.data.filesystems.passed_over import PassedOver
from finding_nemo.data.filesystems.walking import walk


@dataclass(frozen=True)
class Run:
    """One measured command."""

    n_images: int
    peak_mb: float
    wall_s: float
    cpu_s: float


def link_images(source: Path, folder: Path, count: int) -> None:
    """Fill `folder` with `count` links, a thousand in each folder below it."""
    files = cycle(found.path for found in walk(str(source), PassedOver()))
    for number, file in enumerate(islice(files, count)):
        link = folder / f"{number // 1000:04d}" / f"{number:07d}{Path(file).suffix}"
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(Path(file).resolve())


def measure(bundle: Path, source: Path, count: int) -> Run:
    """Predict `count` images in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        frames = Path(scratch) / "frames"
        frames.mkdir()
        link_images(source, frames, count)
        command = [
            sys.executable, "-m", "finding_nemo", "predict", str(bundle), str(frames),
            "--out", str(Path(scratch) / "p.parquet"),
        ]  # fmt: skip
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return Run(count, used.ru_maxrss / 1024, wall_s, used.ru_utime + used.ru_stime)


def fit(name: str, counts: list[int], seconds: list[float]) -> None:
    """Print the line through the seconds and how far they are from it."""
    slope, start = np.polyfit(counts, seconds, 1)
    off = np.abs(np.array(seconds) / (start + slope * np.array(counts)) - 1).max()
    print(f"{name}: {start:.1f} s + {1000 * slope:.2f} ms an image, at most {off:.1%} off the line")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--counts", default="5000,25000,100000")
    asked = parser.parse_args()
    runs = []
    for count in map(int, asked.counts.split(",")):
        run = measure(asked.bundle, asked.images, count)
        runs.append(run)
        print(
            f"{count:7d} images: peak {run.peak_mb:6.1f} MB, {run.wall_s:7.1f} s, "
            f"{run.cpu_s:7.1f} s of processor, {1000 * run.cpu_s / count:.2f} ms an image",
            flush=True,
        )
    print(f"peak memory, last to first: {runs[-1].peak_mb / runs[0].peak_mb - 1:+.1%}")
    counts = [run.n_images for run in runs]
    fit("time", counts, [run.wall_s for run in runs])
    fit("processor time", counts, [run.cpu_s for run in runs])


if __name__ == "__main__":
    main()
