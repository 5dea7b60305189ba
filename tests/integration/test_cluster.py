"""The engine for clusters, on this machine as one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finding_nemo.core.errors import EngineError
from finding_nemo.prediction.run import engine_ray

pytestmark = pytest.mark.slow

_SCRIPT = Path(__file__).parents[2] / "benchmarks/ray_engine.py"


def test_ray__gives_the_same_rows_though_a_worker_is_killed(
    bundle_with_maps: Path, many_frames: Path, tmp_path: Path
) -> None:
    # Enough parts that some are left when the worker dies.
    frames = tmp_path / "frames"
    frames.mkdir()
    for copy in range(3):
        for source in many_frames.rglob("*.png"):
            (frames / f"{copy}-{source.parent.name}-{source.name}").symlink_to(source)
    command = [sys.executable, str(_SCRIPT), str(bundle_with_maps), str(frames), "--rounds", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "one worker killed: finished" in done.stdout


def test_a_ray_that_does_not_start__is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = pytest.importorskip("ray")

    def init(**settings: object) -> None:
        # Without a class of its own, as Ray raises it.
        raise Exception("Node failed.\nThe current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    with (
        pytest.raises(EngineError, match=r"timed out during startup\. Is the machine very busy"),
        engine_ray._cluster(),
    ):
        pass
