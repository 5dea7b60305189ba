"""The core's size on disk and the time to a first prediction, in an environment made for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from timing import in_turn, table

_ROOT = Path(__file__).resolve().parents[1]
# Part of every environment, and no dependency of ours.
_NOT_OURS = ("pip", "setuptools", "_distutils_hack", "pkg_resources")


def compare(bundle: Path, image: Path, scratch: Path) -> str:
    """Return the table."""
    home = scratch / "core"
    python = home / "bin" / "python"
    _run(sys.executable, "-m", "venv", home)
    _run(python, "-m", "pip", "install", "--quiet", _ROOT)
    packages = next((home / "lib").glob("python*")) / "site-packages"
    ours = [path for path in packages.iterdir() if not path.name.startswith(_NOT_OURS)]
    size_mb = sum(_bytes(path) for path in ours) / 1e6
    out = scratch / "one.parquet"
    command = (home / "bin/finding-nemo", "predict", bundle, image, "--out", out, "--overwrite")

    def cold() -> float:
        started = time.perf_counter()
        _run(*command)
        return time.perf_counter() - started

    seconds = in_turn({"cold": cold})["cold"]
    rows = [
        ["core with all dependencies, after use", f"{size_mb:.0f} MB"],
        ["`predict` of one image, a new process", f"{seconds:.2f} s"],
    ]
    return table(["what", "measured"], rows)


def _run(*command: object) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(
        [str(part) for part in command], check=True, env=environment, capture_output=True
    )


def _bytes(path: Path) -> int:
    """Return the bytes on disk, in whole blocks, as `du` counts them."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(512 * file.stat().st_blocks for file in files if file.is_file())
