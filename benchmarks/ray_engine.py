"""Ray's workers: how much faster two are than one, the same rows, and one killed on the way.

Run: python benchmarks/ray_engine.py BUNDLE IMAGES [--rounds 3]

Rates leave out the start of Ray and of the workers: from the first finished part to the last. On
a machine that others use, compare the processor time an image: with a core each, two workers are
as much faster as they do not slow each other down.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.chunked_run import ChunkRows, ChunkWork, Engine
from finding_nemo.prediction.run.engine_ray import RayEngine
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection
from finding_nemo.results.content_hash import content_hash


class Timed:
    """An engine with a clock, and perhaps a kill after its third part."""

    def __init__(self, workers: int, *, kills: bool = False) -> None:
        """Wrap Ray's engine."""
        self._engine = RayEngine(workers)
        self._kills = kills
        self.killed: list[int] = []
        self.images_per_s = 0.0
        self.cpu_ms = 0.0

    def __call__(self, work: ChunkWork, parts: Sequence[int]) -> Iterator[ChunkRows]:
        """Predict, and keep the rate."""
        begun = rows_since = cpu_s = 0.0
        clock = ProcessorClock()
        for done, (part, rows) in enumerate(self._engine(work, parts), start=1):
            now = time.perf_counter()
            if done == 1:
                begun, cpu_s = now, clock.seconds()
            else:
                rows_since += len(rows)
                self.images_per_s = rows_since / (now - begun)
                self.cpu_ms = 1000 * (clock.seconds() - cpu_s) / rows_since
            if done == 3 and self._kills:
                self.killed = kill_one_worker()
            yield part, rows


class ProcessorClock:
    """The processor seconds of this process's own Ray workers, also of those that have ended."""

    def __init__(self) -> None:
        """Begin with no worker."""
        self._ticks: dict[int, int] = {}

    def seconds(self) -> float:
        """Return the seconds used so far."""
        for pid in workers():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            self._ticks[pid] = int(fields[11]) + int(fields[12])
        return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK")


def workers() -> list[int]:
    return [pid for pid in descendants(os.getpid()) if b"MapWorker" in command(pid)]


def kill_one_worker() -> list[int]:
    """Kill one of this process's own Ray workers."""
    found = workers()
    for pid in found[:1]:
        os.kill(pid, signal.SIGKILL)
    return found[:1]


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def descendants(root: int) -> list[int]:
    """Return the processes below `root`."""
    found = [root]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found.extend(int(pid) for pid in task.read_text().split())
    return found[1:]


def predict(bundle: Path, images: str, engine: Engine | None) -> tuple[str, float]:
    """Return the content hash and the seconds of one run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "p.parquet"
        started = time.perf_counter()
        chosen = {} if engine is None else {"engine": engine}
        predict_to_file(load_bundle(bundle), ImageSelection((images,)), out, **chosen)  # type: ignore[arg-type]
        return content_hash(out), time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("images")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    expected, seconds = predict(asked.bundle, asked.images, None)
    print(f"local engine: {seconds:.1f} s, {expected}", flush=True)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(asked.rounds):
        for count, found in rates.items():
            engine = Timed(count)
            content, seconds = predict(asked.bundle, asked.images, engine)
            assert content == expected, "the rows differ from the local engine's"
            found.append(engine.images_per_s)
            print(
                f"{count} workers: {engine.images_per_s:.0f} images/s, "
                f"{engine.cpu_ms:.2f} ms of a core an image, {seconds:.1f} s in all",
                flush=True,
            )
    if asked.rounds:
        one, two = (statistics.median(found) for found in rates.values())
        print(f"two workers are {two / one:.2f}x one: {two:.0f} against {one:.0f} images/s")
    killing = Timed(2, kills=True)
    content, seconds = predict(asked.bundle, asked.images, killing)
    assert killing.killed, "no worker was found to kill"
    assert content == expected, "rows were lost or changed with the worker"
    print(f"one worker killed: finished in {seconds:.1f} s, same rows")


if __name__ == "__main__":
    main()
