"""Label Studio: tasks with annotations and predictions, and JSON-MIN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box


def write(folder: Path, *entries: Any) -> Path:
    (folder / "project.json").write_text(json.dumps(entries))
    return folder / "project.json"


def chosen(*names: object) -> dict[str, Any]:
    return {
        "type": "choices",
        "from_name": "label",
        "to_name": "image",
        "value": {"choices": list(names)},
    }


def drawn(kind: str, name: str, **value: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "original_width": 200,
        "original_height": 100,
        "value": {kind: [name], **value},
    }


def task(image: str, *results: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "annotations": [{"result": list(results)}], "data": {"image": image}, **more}


def test_tasks__by_hand(tmp_path: Path) -> None:
    first = task(
        "https://h/D1/a.png",
        chosen("Crab", "Fish"),
        drawn("rectanglelabels", "Fish", x=10, y=20, width=30, height=40, rotation=0),
        drawn("ellipselabels", "Crab", x=50, y=50, radiusX=5, radiusY=10),
        drawn("polygonlabels", "Crab", points=[[0, 0], [10, 0], [10, 10]]),
        {"type": "taxonomy", "value": {"taxonomy": [["Animal", "Eel"]]}},
        {"type": "rating", "value": {"rating": 3}},
        {"type": "relation", "from_id": "x"},
        predictions=[{"result": [chosen("Squid")]}],
    )
    first["data"] |= {"dive": "D1", "captured": "2015-05-01T10:00:01Z", "depth_m": 9}
    second = task("/data/upload/3/0123abcd-b.png")
    third = task("/data/local-files/?d=dir%2Fc.png", chosen("Crab"))
    third["annotations"][0]["was_cancelled"] = True
    found = read_dataset(write(tmp_path, first, second, third))
    assert found.categories.names == ("Crab", "Eel", "Fish")
    one, two, three = found.records
    assert (one.category_ids, one.dive, one.depth_m) == ((1, 2, 3), "D1", 9.0)
    assert (one.url, one.path) == ("https://h/D1/a.png", tmp_path / "a.png")
    # 200 px across and 100 px down, numbers in percent of them.
    assert one.boxes == (Box(3, 20, 20, 60, 40), Box(1, 90, 40, 20, 20), Box(1, 0, 0, 20, 10))
    assert (two.category_ids, two.path, two.url) == ((), tmp_path / "b.png", "")
    assert (three.category_ids, three.path) == (None, tmp_path / "dir/c.png")
    assert [notice.split(" (first")[0] for notice in found.notices[:3]] == [
        "1 results of Label Studio are no labels of an image (ratings, texts), and are left out",
        "1 annotations were skipped by the person, and do not count",
        "1 labels are a machine's that no person confirmed; they are no truth and are left out",
    ]


def test_uploads__are_found_under_the_name_that_label_studio_gave_them(tmp_path: Path) -> None:
    (tmp_path / "0123abcd-b.png").touch()
    found = read_dataset(write(tmp_path, task("/data/upload/3/0123abcd-b.png", chosen("Crab"))))
    assert found.records[0].path == tmp_path / "0123abcd-b.png"


def test_json_min__by_hand(tmp_path: Path) -> None:
    box = {
        **{"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0},
        **{"rectanglelabels": ["Fish"], "original_width": 200, "original_height": 100},
    }
    own = {"annotator": 1, "annotation_id": 1, "created_at": "x", "lead_time": 2.5}
    found = read_dataset(
        write(
            tmp_path,
            {"image": "a.png", "id": 1, "choice": "Crab", "boxes": [box], "site": "x", **own},
            {"image": "a.png", "id": 1, "choice": {"choices": ["Eel", "Crab"]}, **own},
            {"image": "b.png", "id": 2, **own},
        )
    )
    one, two = found.records
    assert found.categories.names == ("Crab", "Eel", "Fish")
    assert (one.category_ids, one.boxes) == ((1, 2, 3), (Box(3, 20, 20, 60, 40),))
    assert two.category_ids == ()
    assert "1 values of JSON-MIN are no labels, by their key" in found.notices[0]
    assert "(first: 'site')" in found.notices[0]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"data": {}, "annotations": []}, "task 0 of Label Studio: it names no image"),
        (task("data:image/png;base64,xx"), "stands in the file itself"),
        (task("a.png", {"type": "choices"}), "value of a result must be an object, got null"),
        (task("a.png", chosen(7)), "a choice must be the name of what is seen, got 7"),
        (task("a.png", chosen("")), "a choice must be the name"),
        (task("a.png", {"value": {"labels": ["x"], "x": 1, "width": 2}}), "original_width"),
        (task("a.png", drawn("rectanglelabels", "x", x=1, y=2, width="q")), "must have finite x"),
        (task("a.png", drawn("polygonlabels", "x", points=[None])), "points must be a list"),
        (task("../a.png", chosen("Crab")), "leaves the image folder"),
    ],
)
def test_tasks__faults_are_told_with_their_number(
    tmp_path: Path, entry: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, entry))
