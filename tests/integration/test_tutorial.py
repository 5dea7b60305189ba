"""The tutorial of the competition: its commands run, word by word, as they are measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drawn_competition import N_EVALUATED, write_competition

_ROOT = Path(__file__).parents[2]
sys.path.append(str(_ROOT / "benchmarks"))

from fathomnet_scale import STEPS  # noqa: E402 - beside the project's programs

_PAGE = _ROOT / "docs/tutorial-fathomnet.md"
_SCRIPT = _ROOT / "benchmarks/fathomnet_scale.py"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands_of_the_page() -> list[str]:
    """Return what stands behind each `$ finding-nemo`."""
    blocks = "".join(_BLOCK.findall(_PAGE.read_text())).replace("\\\n", " ")
    lines = [line for line in blocks.splitlines() if line.startswith("$ ")]
    return [" ".join(line.removeprefix("$ finding-nemo ").split()) for line in lines]


def test_page__has_the_commands_that_are_measured() -> None:
    ran = list(dict.fromkeys(step.command for step in STEPS))
    assert commands_of_the_page() == ran


@pytest.mark.slow
def test_every_step__runs_from_the_zip_to_the_review_page(tmp_path: Path) -> None:
    # Training of `patches` takes three minutes even here, and has tests of its own.
    steps = [step.name for step in STEPS if "patches" not in step.name]
    work = tmp_path / "work"
    command = [sys.executable, str(_SCRIPT), "--work", str(work), "--set", "epochs=1"]
    command += ["--data", str(write_competition(tmp_path / "data")), "--fault-rate", "0"]
    command += ["--steps", *steps]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads((work / "measured.json").read_text())
    assert list(measured) == steps
    assert measured["fetch"]["server"]["by_answer"]["absent"] == 1
    assert measured["fetch again"]["server"]["requests"] == 1
    assert all(0 < step["peak_mb"] <= step["mapped_peak_mb"] for step in measured.values())
    submitted = (work / "submission.csv").read_text().splitlines()
    assert submitted[0] == "id,categories,osd"
    assert len(submitted) == 1 + N_EVALUATED
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout
