"""The competition's annotation files, of a few images, and the images behind their addresses."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from PIL import Image, ImageDraw

N_EVALUATED = 10
_N_DIVES, _IN_A_DIVE = 12, 6
_WIDTH, _HEIGHT = 128, 96
_BOX = (20, 20, 60, 50)
_SITE = "https://fathomnet.org"
# The last one has no training image.
_NAMES = (
    "Actiniaria",
    "Sebastes",
    "Strongylocentrotus fragilis",
    "Asteroidea",
    "Anguilliformes",
)
UNSEEN = len(_NAMES)
_COLOURS = ("orange", "crimson", "violet", "gold", "silver")
# One image that the server does not have: its number in the first eight digits is 0.
_ABSENT = UUID(int=1)


def write_competition(folder: Path, *, site: str = _SITE) -> Path:
    """Write annotations in the competition's layout, without an image."""
    table = [{"id": n, "name": name, "supercategory": "Fish"} for n, name in enumerate(_NAMES, 1)]
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number in range(_N_DIVES * _IN_A_DIVE + N_EVALUATED):
        dive = number // _IN_A_DIVE
        uuid = _ABSENT if number == 3 else UUID(int=(number + 1) << 97 | 1 << 96)
        address = f"{site}/static/m3/framegrabs/Ventana/images/{1000 + dive}"
        images.append(
            {
                "id": number,
                "file_name": f"{uuid}.png",
                "width": _WIDTH,
                "height": _HEIGHT,
                "coco_url": f"{address}/00_{number // 60:02d}_{number % 60:02d}_00.png",
                "date_captured": f"2010-01-{dive + 1:02d} 10:00:{number % 60:02d}",
            }
        )
        box = {"image_id": number, "category_id": 1.0 + (number + dive) % (UNSEEN - 1)}
        boxes.append({"id": number, "bbox": [float(side) for side in _BOX], **box})
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
    key = [[str(n), name, "Fish"] for n, name in enumerate(_NAMES, 1)]
    _write_table(folder / "category_key.csv", ["id", "name", "supercat"], key)
    return folder


def _write_table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_zip(competition: Path, path: Path) -> None:
    """Write a competition's folder as the zip that Kaggle gives."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(competition.rglob("*.*")):
            archive.write(file, file.relative_to(competition).as_posix())


def served_images(competition: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path of each image's address with a frame that shows its animal."""
    for name in ("train", "eval"):
        coco = json.loads((competition / f"object_detection/{name}.json").read_text())
        shown = {box["image_id"]: int(box["category_id"]) for box in coco["annotations"]}
        for image in coco["images"]:
            if image["file_name"] != f"{_ABSENT}.png":
                path = urlsplit(image["coco_url"]).path
                yield path, drawn_frame(shown.get(image["id"], 1), shade=image["id"])


def drawn_frame(category_id: int, *, shade: int) -> bytes:
    """Return a PNG of dark water with an animal in its box; each shade is another water."""
    frame = Image.new("RGB", (_WIDTH, _HEIGHT), (shade % 40, 40 + shade % 50, 60 + shade))
    left, top, width, height = _BOX
    colour = _COLOURS[category_id - 1]
    ImageDraw.Draw(frame).ellipse((left, top, left + width, top + height), fill=colour)
    content = io.BytesIO()
    frame.save(content, "PNG")
    return content.getvalue()


def fathomnet_entry(site: str, number: int) -> Mapping[str, Any]:
    """Return what FathomNet says of an image that is not the competition's, of its dive."""
    left, top, width, height = _BOX
    box = {"concept": _NAMES[number % UNSEEN], "x": left, "y": top}
    return {
        "uuid": str(UUID(int=number | 1 << 80)),
        "url": f"{site}{_entry_path(number)}",
        "width": _WIDTH,
        "height": _HEIGHT,
        "timestamp": f"2019-05-{1 + number // 10:02d}T10:00:{number:02d}Z",
        "depthMeters": 900.0,
        "latitude": 36.0,
        "longitude": -122.0,
        "boundingBoxes": [box | {"width": width, "height": height}],
    }


def _entry_path(number: int) -> str:
    return f"/static/m3/framegrabs/Ventana/images/{2000 + number // 10}/{number}.png"


def fathomnet_images(n: int) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the frame of each of the first `n` entries."""
    for number in range(n):
        yield _entry_path(number), drawn_frame(number % UNSEEN + 1, shade=number)
