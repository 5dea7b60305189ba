"""iFDO: what its header and its items say, as a file of an archive has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box

Change = Callable[[dict[str, Any]], None]


def content() -> dict[str, Any]:
    def label(name: object, annotator: str = "ada") -> dict[str, Any]:
        return {"label": name, "annotator": annotator, "created-at": "2022-01-01 00:00:00"}

    def drawn(shape: str, coordinates: list[Any], *labels: Any) -> dict[str, Any]:
        return {"shape": shape, "coordinates": coordinates, "labels": list(labels)}

    return {
        "image-set-header": {
            "image-set-name": "SO268 SO268-1_21-1_OFOS",
            "image-event": {"name": "SO268-1_21-1_OFOS", "uri": "https://x"},
            "image-platform": "OFOS",
            "image-latitude": 11.85,
            "image-longitude": -117.02,
            "image-datetime-format": "%d.%m.%Y %H:%M:%S",
            "image-annotation-labels": [
                {"id": 1, "name": "Ophiuroidea", "info": ""},
                {"id": "2", "name": "Porifera"},
            ],
            "image-annotation-creators": [
                {"id": "ada", "name": "Ada", "type": "expert"},
                {"id": "net", "name": "A network", "type": "AI"},
            ],
        },
        "image-set-items": {
            "a.jpg": {
                "image-datetime": "02.03.2019 21:22:34",
                "image-altitude-meters": -4100.5,
                "image-handle": "https://h/a.jpg",
                "image-annotations": [
                    drawn("rectangle", [10, 20, 30, 20, 30, 60, 10, 60], label(1)),
                    drawn(
                        "circle", [[50, 50, 5]], label("2"), label("1", "net"), label("Eel", "net")
                    ),
                    drawn("single-pixel", [7, 8], label("Actiniaria")),
                ],
            },
            "b.jpg": [{"image-latitude": 12.0, "image-annotations": []}],
            "c.jpg": {"image-event": "other", "image-longitude": None},
            "d.mp4": [{"image-datetime": "x"}, {}],
        },
    }


def write(folder: Path, change: Change | None = None) -> Path:
    found = content()
    if change is not None:
        change(found)
    (folder / "set_ifdo.json").write_text(json.dumps(found))
    return folder / "set_ifdo.json"


def test_ifdo__by_hand(tmp_path: Path) -> None:
    found = read_dataset(write(tmp_path))
    assert found.categories.names == ("Actiniaria", "Ophiuroidea", "Porifera")
    first, second, third = found.records
    assert first.category_ids == (1, 2, 3)
    assert first.boxes == (Box(2, 10, 20, 20, 40), Box(3, 45, 45, 10, 10))
    assert (first.dive, first.vehicle, first.url) == (
        "SO268-1_21-1_OFOS",
        "OFOS",
        "https://h/a.jpg",
    )
    assert first.captured == datetime(2019, 3, 2, 21, 22, 34)
    assert (first.depth_m, first.latitude, first.longitude) == (4100.5, 11.85, -117.02)
    assert (second.category_ids, second.latitude, second.depth_m) == ((), 12.0, None)
    assert (third.category_ids, third.dive, third.longitude) == (None, "other", -117.02)
    assert [notice.partition(" (first")[0] for notice in found.notices] == [
        "1 labels are of points or lines, taken for their whole frame",
        "1 items are videos, which are passed over",
        "1 labels are a machine's that no person confirmed; they are no truth and are left out",
        "1 images have no label of a person, and count as not annotated",
    ]


def _header(key: str, value: object) -> Change:
    return lambda found: found["image-set-header"].update({key: value})


def _item(key: str, value: object) -> Change:
    return lambda found: found["image-set-items"]["a.jpg"].update({key: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_header("image-annotation-labels", {"1": "x"}), "image-annotation-labels must be a list"),
        (_header("image-annotation-labels", [{"id": 1}]), "name of an entry"),
        (_item("image-annotations", "x"), "item 'a.jpg': image-annotations must be a list"),
        (_item("image-annotations", [{"labels": [{}]}]), "label must be the name"),
        (
            _item("image-annotations", [{"coordinates": [1, "x"], "labels": []}]),
            "coordinates must be a list of finite numbers",
        ),
        (lambda found: found.update({"image-set-items": []}), "must be an object from file names"),
        (lambda found: found["image-set-items"].update({"../x": {}}), "leaves the image folder"),
    ],
)
def test_ifdo__faults_are_told_with_their_place(
    tmp_path: Path, change: Change, message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, change))


def test_yaml__is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "set.yaml").write_text("image-set-header: {}\n")
    with pytest.raises(AnnotationError, match="is YAML.*save it as that"):
        read_dataset(tmp_path / "set.yaml")
