"""COCO files of another shape than promised: read where it is certain, else one message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError

Change = Callable[[dict[str, Any]], object]


def coco() -> dict[str, Any]:
    return {
        "info": {},
        "images": [
            {"id": 1, "file_name": "a.png", "width": 64, "height": 48, "dive": "D1"},
            {"id": 2, "file_name": "b.png", "width": 64, "height": 48, "dive": "D2"},
        ],
        "annotations": [
            {"id": 5, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 0},
            {"id": 6, "image_id": 2, "category_id": 4, "segmentation": [[1, 1, 2, 2]]},
        ],
        "categories": [{"id": 3, "name": "crab"}, {"id": 4, "name": "fish"}],
    }


def write(tmp_path: Path, change: Change, encoding: str = "utf-8") -> Path:
    content = coco()
    change(content)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content), encoding=encoding)
    return path


def at(*keys: Any, value: Any) -> Change:
    """Return a change of what stands at `keys`."""

    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_coco__in_every_encoding(tmp_path: Path, encoding: str) -> None:
    dataset = read_dataset(write(tmp_path, lambda content: None, encoding))
    assert [record.category_ids for record in dataset.records] == [(3,), (4,)]
    assert dataset.source is not None
    assert dataset.source.path == tmp_path / "a.json"


def _ids_as_text(content: dict[str, Any]) -> None:
    for image in content["images"]:
        image["id"] = str(image["id"])


def _ids_as_floats(content: dict[str, Any]) -> None:
    for entry in content["annotations"]:
        entry["image_id"] = float(entry["image_id"])
        entry["category_id"] = str(entry["category_id"])


def _ids_as_both(content: dict[str, Any]) -> None:
    _ids_as_text(content)
    _ids_as_floats(content)


@pytest.mark.parametrize(
    "change",
    [
        _ids_as_text,
        _ids_as_floats,
        _ids_as_both,
        at("images", 0, "width", value=None),
        at("images", 0, "license", value=[{"x": 1}]),
        at("annotations", 0, "bbox", value=[]),
        at("annotations", 0, "bbox", value=None),
        at("categories", 0, "supercategory", value=None),
        at("categories", 0, "supercategory", value=float("nan")),
    ],
)
def test_coco__what_is_certain_is_read(tmp_path: Path, change: Change) -> None:
    dataset = read_dataset(write(tmp_path, change))
    assert [record.category_ids for record in dataset.records] == [(3,), (4,)]
    assert dataset.categories.names == ("crab", "fish")
    assert dataset.notices == ()


def test_coco__values_that_say_nothing_are_not_known(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"][0] |= {"dive": float("nan"), "width": float("nan"), "height": 0}
        content["images"][1] |= {"dive": "nan", "date_captured": "0001-01-01T00:00:00+05:00"}

    first, second = read_dataset(write(tmp_path, change)).records
    assert (first.dive, first.width, first.height) == (None, None, None)
    assert (second.dive, second.captured) == (None, None)
    notices = read_dataset(tmp_path / "a.json").notices
    assert [notice.split(" ")[:3] for notice in notices] == [
        ["1", "dives", "are"],
        ["1", "times", "are"],
        ["2", "of", "2"],
    ]


def test_coco__numbers_as_dives_and_repeated_annotation_ids(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"][0]["dive"], content["images"][1]["dive"] = 297, 297.0
        content["annotations"][1]["id"] = 5

    dataset = read_dataset(write(tmp_path, change))
    assert {record.dive for record in dataset.records} == {"297"}
    assert dataset.notices == (
        "1 annotations have the id of another; each was counted (first: 5).",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("categories", value=["crab"]), r"categories\[0\]: must be an object, got text"),
        (at("categories", value={"1": "crab"}), "'categories' must hold a list, got an object"),
        (at("categories", 0, "id", value=True), r"categories\[0\]: True is not a number"),
        (at("categories", 0, "id", value=4), r"categories: Category ids must be unique"),
        (at("categories", 0, "id", value=2**31), r"categories\[0\]: .*32 bits"),
        (at("categories", 0, "id", value=-1), r"categories\[0\]: .*outside 0 to"),
        (at("categories", 0, "name", value=None), r"categories\[0\]: name of category 3 must be"),
        (at("categories", 0, "name", value=["x"]), r"categories\[0\]: name must be a text"),
        (at("categories", 0, "name", value="\ud800"), r"categories\[0\]: name .*half a character"),
        (at("images", value={"1": {}}), "'images' must hold a list, got an object"),
        (at("images", value="x"), "'images' must hold a list, got text"),
        (at("images", 1, value=None), r"images\[1\]: must be an object, got null"),
        (at("images", 0, "id", value=[1]), r"images\[0\]: id must be .*, got a list"),
        (at("images", 0, "id", value=True), r"images\[0\]: id must be .*, got true or false"),
        (at("images", 0, "id", value=float("nan")), r"images\[0\]: id must be .*nan"),
        (at("images", 0, "id", value=None), r"images\[0\]: id must be .*, got null"),
        (at("images", 0, "id", value=2), r"images\[1\]: id 2 .*is there already"),
        (at("images", 0, "file_name", value=None), r"images\[0\]: file_name must be a text"),
        (
            at("images", 0, "file_name", value=7),
            r"images\[0\]: file_name must be a text, got a n",
        ),
        (
            at("images", 0, "file_name", value="\ud800"),
            r"file_name .*half a character",
        ),
        (at("images", 0, "width", value=10**400), r"images\[0\]: width .*more than 60 digits"),
        (at("images", 0, "width", value=-1), r"images\[0\]: width must be 0 to"),
        (at("images", 0, "width", value="wide"), r"images\[0\]: width: 'wide' is not a number"),
        (at("images", 0, "width", value=float("inf")), r"images\[0\]: width: inf is not a whole"),
        (at("images", 0, "dive", value={"x": 1}), r"images\[0\]: dive must be a text, got an obj"),
        (at("images", 0, "date_captured", value=[]), r"images\[0\]: date_captured must be a text"),
        (at("annotations", value={}), "'annotations' must hold a list, got an object"),
        (at("annotations", 0, value=3), r"annotations\[0\]: must be an object, got a number"),
        (at("annotations", 0, "image_id", value=[1]), r"annotations\[0\]: image_id must be"),
        (at("annotations", 0, "image_id", value="01"), r"annotations\[0\]: image_id '01' is no"),
        (at("annotations", 0, "category_id", value=None), r"category_id: None is not a number"),
        (at("annotations", 0, "category_id", value=1.5), r"category_id: 1.5 is not a whole"),
        (at("annotations", 0, "category_id", value=float("inf")), "inf is not a whole number"),
        (at("annotations", 0, "category_id", value=10**400), r"category id .*outside 0 to"),
        (at("annotations", 0, "bbox", value=[1, 2, 3]), r"annotations\[0\]: bbox must be"),
        (at("annotations", 0, "bbox", value="1234"), r"annotations\[0\]: bbox must be"),
        (at("annotations", 0, "bbox", value=["1", 2, 3, 4]), r"annotations\[0\]: bbox must be"),
        (at("annotations", 0, "bbox", value=[1, 2, float("nan"), 4]), "bbox must be .*finite"),
        (at("annotations", 0, "bbox", value=[1, 2, 10**400, 4]), "bbox must be .*finite"),
        (at("annotations", 0, "bbox", value=[1, 2, -3, 4]), "no negative width or height"),
        (at("annotations", 0, "bbox", value={"x": 1}), r"annotations\[0\]: bbox must be"),
    ],
)
def test_coco__every_other_type_is_one_message_with_its_place(
    tmp_path: Path, change: Change, message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, change))


def test_coco__ids_alike_as_text_are_joined_only_as_they_are(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["images"][1]["id"] = "1"
        content["annotations"][1]["image_id"] = "1"

    found = [record.category_ids for record in read_dataset(write(tmp_path, change)).records]
    assert found == [(3,), (4,)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param('{"images":' + "[" * 200_000, "nested too deep", id="nested"),
        pytest.param('{"images": [], "images": []}', "'images' is there twice", id="twice"),
        pytest.param('{"images": []} x', "not JSON .Extra data", id="behind"),
        pytest.param('{"images": [{"id": 1, "fi', "cut off", id="cut"),
        pytest.param('[{"data": {}, "annotations": []}]', "Label Studio", id="label-studio"),
        pytest.param('{"samples": []}', "FiftyOne: export it as COCO", id="fiftyone"),
        pytest.param('[{"image_id": 1, "score": 0.5}]', "COCO results", id="results"),
        pytest.param("null", "got null", id="null"),
    ],
)
def test_coco__other_files_are_told_by_their_look(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(AnnotationError, match=message):
        read_dataset(path)
