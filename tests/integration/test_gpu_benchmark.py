"""The prepared script for a card, at its smallest, on whatever computes here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(_FOLDER)
    spec = importlib.util.spec_from_file_location("gpu", _FOLDER / "gpu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gpu", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_script__measures_every_row_without_a_network() -> None:
    command = [sys.executable, str(_FOLDER / "gpu.py"), "--size", "tiny", "--device", "cpu"]
    # A busy machine is given time: what is tried is that every row is there.
    command += ["--budget", "3000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if "|" in line]
    assert [line[0].split(",")[0] for line in lines[2:]] == [
        "train probe",
        "train nemo",
        "predict probe",
        "predict probe",
        "decode 1080p JPEG for it",
    ], done.stdout + done.stderr
    for what, rate, _, alone, share, memory in lines[2:]:
        numbers = (float(rate), float(alone), float(share.rstrip("%")), float(memory))
        assert min(numbers[0], numbers[1], numbers[3]) > 0, what


def test_rows__by_hand(gpu: Any) -> None:
    row = {"what": "train probe", "rate": 80.0, "beside": "the step", "alone": 100.0, "memory": 9}
    assert gpu.cells(row) == ["train probe", "80.0", "the step", "100.0", "80%", "9"]
    # Decoding alone would take a third of the time that files to Parquet take.
    decode = {**row, "rate": 300.0, "share": 100 / 300}
    assert gpu.cells(decode)[4] == "33%"


def test_row__without_a_measurement_holds_no_number(gpu: Any) -> None:
    (row,) = gpu.measured(["--row", "train:nemo"], 0.0)
    assert gpu.cells(row) == ["train nemo", "", "not measured: no time was left", "", "", ""]
    (failed,) = gpu.measured(["--row", "nothing"], 60.0)
    assert gpu.cells(failed)[1:4] == ["", "not measured: it ended with exit 1", ""]


def test_repeated__shows_the_images_again_in_other_views(gpu: Any) -> None:
    class Three:
        def __len__(self) -> int:
            return 3

        def batch(self, chosen: np.ndarray, epoch: int) -> tuple[np.ndarray, np.ndarray]:
            return chosen, np.full(len(chosen), epoch)

    shown = gpu.Repeated(Three(), 10)
    assert len(shown) == 10
    rows, epochs = shown.batch(np.array([7, 2, 3]), 5)
    assert (rows.tolist(), epochs.tolist()) == ([1, 2, 0], [7, 7, 7])
