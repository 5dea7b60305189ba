"""Fixtures that more than one file of tests uses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def _real_folder(name: str) -> Path:
    roots = [Path(os.environ.get("FINDING_NEMO_DATA", "")), _BESIDE_THE_PROJECT]
    for root in roots:
        if str(root) != "." and (root / name).is_dir():
            return root / name
    pytest.skip(f"no real data: neither FINDING_NEMO_DATA nor ../shared/data holds {name}")


@pytest.fixture(scope="session")
def trashcan_folder() -> Path:
    """Real ROV frames, read-only."""
    return _real_folder("trashcan")


@pytest.fixture(scope="session")
def fathomnet_folder() -> Path:
    """The competition's annotation files, read-only."""
    return _real_folder("fathomnet2023")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty frames of six dives in the competition's layout; each category is a colour."""
    return write_tiny_dataset(tmp_path_factory.mktemp("tiny") / "frames")


@pytest.fixture(autouse=True, scope="session")
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests decode out of the person's own cache."""
    before = os.environ.get("FINDING_NEMO_CACHE")
    os.environ["FINDING_NEMO_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["FINDING_NEMO_CACHE"]
    else:
        os.environ["FINDING_NEMO_CACHE"] = before


_COLOURS = {2: (220, 60, 40), 5: (40, 200, 90), 6: (60, 80, 220), 9: (230, 220, 90)}


def write_tiny_dataset(folder: Path) -> Path:
    """Write the data set that `tiny_folder` gives."""
    rng = np.random.default_rng(7)
    (folder / "images/train").mkdir(parents=True)
    (folder / "object_detection").mkdir()
    (folder / "multilabel_classification").mkdir()
    rows, images, boxes = ["id,categories"], [], []
    for number in range(30):
        dive = number // 5
        ids = sorted(set(rng.choice(list(_COLOURS), 1 + number % 2).tolist()))
        _draw_tiny(folder / f"images/train/f{number}.png", ids, rng)
        rows.append(f'f{number},"{[float(k) for k in ids]}"')
        images.append(_tiny_image(number, dive))
        boxes += [
            {"id": 10 * number + k, "image_id": number, "category_id": k, "bbox": [1, 1, 9, 9]}
            for k in ids
        ]
    table = [{"id": k, "name": f"animal {k}", "supercategory": f"group {k % 2}"} for k in _COLOURS]
    key = ["id,name,supercat", *(f"{c['id']},{c['name']},{c['supercategory']}" for c in table)]
    (folder / "category_key.csv").write_text("\n".join(key) + "\n")
    (folder / "multilabel_classification/train.csv").write_text("\n".join(rows) + "\n")
    (folder / "object_detection/train.json").write_text(
        json.dumps({"images": images, "annotations": boxes, "categories": table})
    )
    return folder


def _draw_tiny(path: Path, ids: list[int], rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 50, (48, 64, 3), dtype=np.uint8)
    for place, number in enumerate(ids):
        row, column = rng.integers(0, 24, 2)
        pixels[row : row + 18, column + 12 * place : column + 12 * place + 18] = _COLOURS[number]
    Image.fromarray(pixels).save(path)


def _tiny_image(number: int, dive: int) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": f"f{number}.png",
        "width": 64,
        "height": 48,
        "coco_url": f"https://x.example/framegrabs/Tiny/images/{dive:04d}/00_00_{number:02d}_00.png",
        "date_captured": f"2015-05-{dive + 1:02d} 10:00:{number:02d}",
    }
