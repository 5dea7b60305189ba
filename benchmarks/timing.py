"""Jobs in turn, each in a process of its own, so that a busy machine slows all alike."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
HERE = Path(__file__).resolve().parent


def child(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script of this folder; its last line on stdout is its result as JSON."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def in_turn(jobs: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median of what each job returns, all jobs once a round."""
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            found[name].append(job())
    return {name: statistics.median(values) for name, values in found.items()}


def cpu_seconds(job: Callable[[], object]) -> float:
    """Return the seconds of this thread on a core; waiting for other programs does not count."""
    started = time.thread_time()
    job()
    return time.thread_time() - started


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def data_folder() -> Path:
    """Return the folder of real data: FINDING_NEMO_DATA, or that beside the project."""
    return Path(os.environ.get("FINDING_NEMO_DATA") or HERE.parents[1] / "shared/data")


def machine() -> str:
    """Return the machine and the versions in a sentence."""
    from finding_nemo.core.processes.cores import usable_cores
    from finding_nemo.core.provenance import library_versions

    names = ("torch", "timm", "onnxruntime", "openvino", "pillow", "kornia-rs", "numpy", "pyarrow")
    versions = ", ".join(f"{k} {v}" for k, v in library_versions(*names, "torchmetrics").items())
    return f"{usable_cores()} cores of {_processor()}, {platform.system()}; {versions}."


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
