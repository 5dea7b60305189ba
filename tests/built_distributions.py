"""The wheel and the sdist, built from a copy of the project without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
# What a working copy holds beside the project; the rest is copied, so that what a build leaves out
# is left out by its rules and not by this copy.
_NOT_COPIED = (
    ".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "demo", "benchmarks", "node_modules"
)  # fmt: skip
_BUILD = (
    "import sys; from setuptools import build_meta; out = sys.argv[1]; "
    "build_meta.build_sdist(out); build_meta.build_wheel(out)"
)


def copy_project(folder: Path) -> Path:
    """Copy what the project holds, for builds that must not write into it."""
    return Path(
        shutil.copytree(_ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    )


def build_distributions(project: Path, out: Path) -> tuple[Path, Path]:
    """Build both forms of a release with the setuptools that is installed.

    Args:
        project: The folder with pyproject.toml. The build leaves files in it.
        out: Where both files go; made.

    Returns:
        The wheel and the sdist.

    Raises:
        RuntimeError: If the build fails, with what it printed.
    """
    out.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, str(out)],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The build ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist
