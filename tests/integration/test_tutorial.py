"""The tutorial of the competition: its commands run, word by word, as they are measured."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

_ROOT = Path(__file__).parents[2]
sys.path.append(str(_ROOT / "benchmarks"))

from fathomnet_scale import STEPS  # noqa: E402 - beside the project's programs

_PAGE = _ROOT / "docs/tutorial-fathomnet.md"
_SCRIPT = _ROOT / "benchmarks/fathomnet_scale.py"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_N_DIVES, _IN_A_DIVE, _N_EVALUATED = 12, 6, 10
# One image that the server does not have: its number in the first eight digits is 0.
_ABSENT = UUID(int=1)


def commands_of_the_page() -> list[str]:
    """Return what stands behind each `$ finding-nemo`."""
    blocks = "".join(_BLOCK.findall(_PAGE.read_text())).replace("\\\n", " ")
    lines = [line for line in blocks.splitlines() if line.startswith("$ ")]
    return [" ".join(line.removeprefix("$ finding-nemo ").split()) for line in lines]


def write_competition(folder: Path) -> Path:
    """Write annotations in the competition's layout, without an image."""
    names = ["Actiniaria", "Sebastes", "Strongylocentrotus fragilis", "Asteroidea"]
    table = [{"id": n, "name": name, "supercategory": "Fish"} for n, name in enumerate(names, 1)]
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number in range(_N_DIVES * _IN_A_DIVE + _N_EVALUATED):
        dive = number // _IN_A_DIVE
        uuid = _ABSENT if number == 3 else UUID(int=(number + 1) << 97 | 1 << 96)
        address = f"https://fathomnet.org/static/m3/framegrabs/Ventana/images/{1000 + dive}"
        images.append(
            {
                "id": number,
                "file_name": f"{uuid}.png",
                "width": 128,
                "height": 96,
                "coco_url": f"{address}/00_{number // 60:02d}_{number % 60:02d}_00.png",
                "date_captured": f"2010-01-{dive + 1:02d} 10:00:{number % 60:02d}",
            }
        )
        box = {"image_id": number, "category_id": 1.0 + (number + dive) % 4}
        boxes.append({"id": number, "bbox": [20.0, 20.0, 60.0, 50.0], **box})
    n_train = _N_DIVES * _IN_A_DIVE
    (folder / "object_detection").mkdir(parents=True)
    (folder / "multilabel_classification").mkdir()
    for name, part, marks in (
        ("train", images[:n_train], boxes[:n_train]),
        ("eval", images[n_train:], []),
    ):
        coco = {"images": part, "annotations": marks, "categories": table}
        (folder / f"object_detection/{name}.json").write_text(json.dumps(coco))
    rows = [
        [image["file_name"].removesuffix(".png"), f"[{box['category_id']}]"]
        for image, box in zip(images[:n_train], boxes, strict=False)
    ]
    _write_table(folder / "multilabel_classification/train.csv", ["id", "categories"], rows)
    key = [[str(n), name, "Fish"] for n, name in enumerate(names, 1)]
    _write_table(folder / "category_key.csv", ["id", "name", "supercat"], key)
    return folder


def _write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


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
    assert len(submitted) == 1 + _N_EVALUATED
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout
