"""Stop one job again and again, at random moments, and see that its file comes out the same.

Run: python benchmarks/stops.py BUNDLE IMAGES [--kills 50] [--seed 0] [--full-disk]

Each round starts the same command and kills it (SIGKILL) at a random moment; the last is left to
end. Every image read is counted by the child in a log that survives it. `--full-disk` runs the
job in a small tmpfs (needs root), fills it, and makes room after the message.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from finding_nemo.cli.main import run
from finding_nemo.prediction.run.run_plan import ROWS_IN_CHUNK
from finding_nemo.prediction.sources.prepared_image import PreparedImage, prepare_image
from finding_nemo.results.content_hash import content_hash

_READ_LOG = "FINDING_NEMO_READ_LOG"


def child() -> None:
    """Run the command line with every read of an image written to the log."""
    log = os.open(os.environ[_READ_LOG], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def watched(source: Path | bytes, *values: Any, **options: Any) -> PreparedImage:
        os.write(log, f"{source!r}\n".encode())
        return prepare_image(source, *values, **options)

    sys.argv = ["finding-nemo", *sys.argv[2:]]
    with patch("finding_nemo.prediction.sources.image_loader.prepare_image", watched):
        run()


class RunState:
    """One prediction command and the log of what it reads."""

    def __init__(self, bundle: Path, images: str, folder: Path, log: Path) -> None:
        """Write the output into `folder`, and count reads in `log`."""
        self.out = folder / "p.parquet"
        self.log = log
        self.command = [
            sys.executable, __file__, "--child", "predict", str(bundle), images,
            "--out", str(self.out),
        ]  # fmt: skip

    def start(self) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, _READ_LOG: str(self.log)},
        )

    def run(self) -> tuple[int, str]:
        """Run the command to its end; return its exit code and what it said on stderr."""
        process = self.start()
        _, said = process.communicate()
        return process.returncode, said

    def reads(self) -> list[str]:
        """Return what was read so far, one entry a read."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def n_stored(self) -> int:
        """Return how many images are in finished parts."""
        parts = len(list(self.out.parent.glob(".p.parquet.parts/part-*.parquet")))
        return parts * ROWS_IN_CHUNK


def kill_again_and_again(
    job: RunState, kills: int, n_images: int, draw: random.Random
) -> list[int]:
    """Kill the job `kills` times and return how much of each start was for nothing.

    A moment is a number of images, drawn so that the kills spread over the whole job; some come
    before the first image, some in a part, some after one or more, a few milliseconds off.
    """
    again: list[int] = []
    stored = n_before = 0
    for left in range(kills, 0, -1):
        parts_left = max(0, n_images - stored) // ROWS_IN_CHUNK
        most = min(ROWS_IN_CHUNK * (1 + 2 * parts_left / (left + 1)), n_images - stored - 1)
        process = job.start()
        if draw.random() < 0.1:
            time.sleep(draw.uniform(0.0, 1.0))
        else:
            wait_for_reads(job, process, n_before + draw.uniform(1, most))
            time.sleep(draw.uniform(0.0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if job.out.exists():
            print(f"the job ended by itself in round {kills - left + 1}", flush=True)
            break
        n_reads = len(job.reads())
        again.append(n_reads - n_before - (job.n_stored() - stored))
        stored, n_before = job.n_stored(), n_reads
    return again


def wait_for_reads(job: RunState, process: subprocess.Popen[str], wanted: float) -> None:
    """Return when so many images have been read, or the job has ended."""
    while process.poll() is None and len(job.reads()) < wanted:
        time.sleep(0.005)


def measure_kills(make_job: Callable[[str], RunState], kills: int, seed: int) -> bool:
    """Return whether the killed job's file equals the uninterrupted one's."""
    whole = make_job("whole")
    started = time.perf_counter()
    code, said = whole.run()
    whole_s = time.perf_counter() - started
    assert code == 0, said
    n_images = len(whole.reads())
    print(f"uninterrupted: {n_images} images in {whole_s:.1f} s, {content_hash(whole.out)}")
    stopped = make_job("stopped")
    again = kill_again_and_again(stopped, kills, n_images, random.Random(seed))
    code, said = stopped.run() if not stopped.out.exists() else (0, "")
    assert code == 0, said
    reads = Counter(stopped.reads())
    same = content_hash(stopped.out) == content_hash(whole.out)
    print(f"{len(again)} kills: {content_hash(stopped.out)}, {'equal' if same else 'DIFFERENT'}")
    print(
        f"images read again: {sum(reads.values()) - n_images} in all, at most "
        f"{max(again, default=0)} by one kill (a part is {ROWS_IN_CHUNK}), "
        f"one image at most {max(reads.values())} times"
    )
    left = [path.name for path in stopped.out.parent.iterdir() if path.name.startswith(".")]
    print(f"left beside the file: {left or 'nothing'}")
    return same and not left


def measure_full_disk(bundle: Path, images: str, expected: str, n_bytes: int) -> bool:
    """Run in a tmpfs that is too small, make room, run again; return whether all was right."""
    with tempfile.TemporaryDirectory() as mount:
        size = 4 * n_bytes + (1 << 20)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", mount], check=True)
        try:
            job = RunState(bundle, images, Path(mount), Path(os.devnull))
            (Path(mount) / "other").write_bytes(bytes(size - 7 * n_bytes // 10))
            code, said = job.run()
            lines = [line for line in said.splitlines() if "No space left" in line]
            print(f"full disk: exit code {code}, {job.n_stored()} images stored, said: {lines}")
            (Path(mount) / "other").unlink()
            again, said = job.run()
            same = again == 0 and content_hash(job.out) == expected
            print(f"after space was made: exit code {again}, {'equal' if same else 'DIFFERENT'}")
            return code == 1 and len(lines) == 1 and "Traceback" not in said and same
        finally:
            subprocess.run(["umount", mount], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("images")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--full-disk", action="store_true")
    asked = parser.parse_args()
    scratch = Path(tempfile.mkdtemp())

    def make_job(name: str) -> RunState:
        (scratch / name).mkdir()
        return RunState(asked.bundle, asked.images, scratch / name, scratch / f"{name}.log")

    try:
        right = measure_kills(make_job, asked.kills, asked.seed)
        if asked.full_disk:
            whole = scratch / "whole/p.parquet"
            n_bytes = whole.stat().st_size
            right &= measure_full_disk(asked.bundle, asked.images, content_hash(whole), n_bytes)
    finally:
        shutil.rmtree(scratch)
    sys.exit(not right)


if __name__ == "__main__":
    child() if sys.argv[1:2] == ["--child"] else main()
