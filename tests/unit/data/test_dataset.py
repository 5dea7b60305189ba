"""The three forms of a data set, and what is said of the faults in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import (
    AnnotationError,
    DatasetError,
    DatasetNotFoundError,
    SettingsError,
)

_URL = "http://localhost/static/m3/{store}/{vehicle}/images/{dive}/{name}.png"


def coco(**changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = {
        "images": [
            {
                "id": 1,
                "file_name": "a.png",
                "width": 720,
                "height": 368,
                "coco_url": _URL.format(
                    store="framegrabs", vehicle="Doc%20Ricketts", dive="0297", name="01_02_03_04"
                ),
                "date_captured": "2011-10-22 14:24:33",
            },
            {
                "id": 2,
                "file_name": "b.png",
                "coco_url": _URL.format(store="staging", vehicle="Tiburon", dive="1124", name="b"),
                "date_captured": "2007-08-30 00:00:00",
            },
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 9.0, "bbox": [1, 2, 3, 4]},
            {"id": 2, "image_id": 1, "category_id": 1.0, "bbox": [5, 6, 7, 8]},
            {"id": 3, "image_id": 2, "category_id": 1.0, "bbox": [0, 0, 9, 9]},
        ],
        "categories": [
            {"id": 1, "name": "Actiniaria", "supercategory": "Anemone"},
            {"id": 9, "name": "Liponema", "supercategory": "Anemone"},
        ],
    }
    return {**content, **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set folder of two images in the competition's layout."""
    (tmp_path / "category_key.csv").write_text(
        "id,name,supercat\n1,Actiniaria,Anemone\n9,Liponema,Anemone\n"
    )
    for name in ("multilabel_classification", "object_detection", "images/train"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "multilabel_classification/train.csv").write_text(
        'id,categories\nb,[1.0]\na,"[9.0, 1.0]"\n'
    )
    (tmp_path / "object_detection/train.json").write_text(json.dumps(coco()))
    (tmp_path / "images/train/a.jpg").write_bytes(b"")
    return tmp_path


def test_folder__labels_and_order_of_train_csv_everything_else_of_train_json(folder: Path) -> None:
    dataset = read_dataset(folder)
    second, first = dataset.records
    assert (first.image_id, first.category_ids) == ("a", (1, 9))
    assert (first.vehicle, first.dive) == ("Doc Ricketts", "Doc Ricketts 0297")
    assert first.captured == datetime(2011, 10, 22, 14, 24, 33)
    assert first.time_known
    assert (first.sequence, first.frame_number) == ("01_02_03_", 4)
    assert first.path == folder / "images/train/a.jpg"
    assert [box.category_id for box in first.boxes] == [9, 1]
    assert (second.image_id, second.category_ids) == ("b", (1,))
    assert second.dive == "Tiburon 1124"
    assert not second.time_known
    assert second.path == folder / "images/train/b.png"


def test_folder__columns_start_at_zero(folder: Path) -> None:
    dataset = read_dataset(folder)
    assert dataset.categories.columns == {1: 0, 9: 1}
    assert dataset.truth().tolist() == [[True, False], [True, True]]


def test_folder__evaluation_images_are_not_annotated(folder: Path) -> None:
    images = [{"id": 1, "file_name": "c.png", "date_captured": None}]
    (folder / "object_detection/eval.json").write_text(
        json.dumps(coco(images=images, annotations=[]))
    )
    dataset = read_dataset(folder)
    assert dataset.records[-1].origin == "eval"
    assert dataset.records[-1].category_ids is None
    assert len(dataset.annotated) == 2


def test_folder__without_boxes_the_csv_alone_will_do(folder: Path) -> None:
    (folder / "object_detection/train.json").unlink()
    dataset = read_dataset(folder)
    assert [record.image_id for record in dataset.records] == ["b", "a"]
    assert dataset.records[1].path == folder / "images/train/a.jpg"
    assert "have no dive" in dataset.notices[0]


def test_folder__a_dive_column_wins(folder: Path) -> None:
    (folder / "multilabel_classification/train.csv").write_text(
        'id,categories,dive\nb,[1.0],D7\na,"[9.0, 1.0]",D8\n'
    )
    assert [record.dive for record in read_dataset(folder).records] == ["D7", "D8"]


def test_folder__spaces_after_commas_as_in_the_competitions_readme(folder: Path) -> None:
    (folder / "multilabel_classification/train.csv").write_text(
        'id, categories\nb, [1.0]\na, "[9.0, 1.0]"\n'
    )
    assert read_dataset(folder).records[1].category_ids == (1, 9)


def test_folder__disagreeing_labels_are_told(folder: Path) -> None:
    (folder / "multilabel_classification/train.csv").write_text("id,categories\nb,[9.0]\n")
    notices = " ".join(read_dataset(folder).notices)
    assert "1 images have other categories in train.csv than boxes" in notices
    assert "1 images of train.json are not in train.csv" in notices


def test_coco__one_file_and_an_image_folder(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").write_bytes(b"")
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(coco()))
    dataset = read_dataset(path, images=tmp_path / "pictures")
    assert dataset.records[0].category_ids == (1, 9)
    assert dataset.records[0].path == tmp_path / "pictures/a.png"
    assert dataset.records[0].origin == "annotations"


def test_coco__an_image_without_a_box_is_annotated_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(coco(annotations=coco()["annotations"][:2])))
    assert read_dataset(path).records[1].category_ids == ()


def test_csv__names_or_ids_with_dive_and_time(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    path.write_text(
        "path,categories,vehicle,dive,time\n"
        "d1/x_001.png,Crab;Fish,ROV,7,2020-01-02T03:04:05Z\n"
        "d1/x_002.png,,ROV,7,2020-01-02\n"
    )
    first, second = read_dataset(path).records
    assert read_dataset(path).categories.names == ("Crab", "Fish")
    assert (first.category_ids, second.category_ids) == ((1, 2), ())
    assert (first.dive, first.time_known, second.time_known) == ("ROV 7", True, False)
    assert first.captured == datetime(2020, 1, 2, 3, 4, 5)


def test_dive_pattern__reads_the_dive_from_the_path(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    path.write_text("path,categories\ndive_12/x.png,1\n")
    record = read_dataset(path, dive_pattern=r"dive_(?P<dive>\d+)/").records[0]
    assert record.dive == "12"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        pytest.param("(", "not a regular expression", id="broken"),
        pytest.param(r"\d+", "needs a group named dive", id="no-group"),
    ],
)
def test_dive_pattern__says_what_is_wrong(folder: Path, pattern: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_dataset(folder, dive_pattern=pattern)


def _train_csv(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "multilabel_classification/train.csv").write_text(text)


def _train_json(content: object) -> Callable[[Path], object]:
    text = content if isinstance(content, str) else json.dumps(content)
    return lambda folder: (folder / "object_detection/train.json").write_text(text)


def _key(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "category_key.csv").write_text(text)


def _image(**changes: Any) -> dict[str, Any]:
    return {**coco()["images"][0], **changes}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(_train_csv("id\na\n"), "line 1: column categories is missing", id="column"),
        pytest.param(_train_csv("id,categories\na,[1.0]\nb,[x]\n"), "line 3: '\\[x\\]'", id="text"),
        pytest.param(_train_csv("id,categories\na,[1.5]\n"), "line 2: .*whole number", id="float"),
        pytest.param(
            _train_csv("id,categories\na,[300.0]\n"), "line 2: category id 300 is not", id="unknown"
        ),
        pytest.param(
            _train_csv("id,categories\na,[1.0]\na,[1.0]\n"), "line 3: image id 'a'", id="repeated"
        ),
        pytest.param(_train_csv("id,categories\na,1,2\n"), "line 2: 3 fields", id="fields"),
        pytest.param(_train_csv('id,categories\n"a,[1.0]\n'), "line 2: not CSV", id="quote"),
        pytest.param(_train_csv("id,categories\n../a,[1.0]\n"), "line 2: .*'\\.\\.'", id="climb"),
        pytest.param(_train_json('{"images": [\n{]}'), "line 2, column 2: not JSON", id="json"),
        pytest.param(_train_json([]), "must hold an object .* got a list", id="json-list"),
        pytest.param(_train_json({}), "'images' must hold a list, got null", id="no-images"),
        pytest.param(
            _train_json(coco(images=[{"id": 1}])),
            r"images\[0\]: .*'file_name' is missing",
            id="key",
        ),
        pytest.param(
            _train_json(coco(images=[_image(), _image()])),
            r"images\[1\]: .*there already",
            id="twice",
        ),
        pytest.param(
            _train_json(coco(images=[_image(file_name="../../etc/passwd")])),
            r"images\[0\]: .*leaves the image folder",
            id="dots",
        ),
        pytest.param(
            _train_json(coco(images=[_image(file_name="/etc/passwd")])),
            "is absolute",
            id="absolute",
        ),
        pytest.param(
            _train_json(coco(images=[_image(file_name="C:\\a.png")])), "is absolute", id="drive"
        ),
        pytest.param(
            _train_json(coco(annotations=[{"image_id": 7, "category_id": 1}])),
            r"annotations\[0\]: image_id 7 is no image's id",
            id="orphan",
        ),
        pytest.param(
            _train_json(coco(annotations=[{"image_id": 1, "category_id": 7}])),
            r"annotations\[0\]: category id 7 is no category's id",
            id="unknown-box",
        ),
        pytest.param(
            _train_json(coco(annotations=[{"image_id": 1, "category_id": 1, "bbox": [1, 2]}])),
            r"annotations\[0\]: bbox must be",
            id="bbox",
        ),
        pytest.param(_key("id,name\n1,x\n"), "column supercat is missing", id="key-column"),
        pytest.param(_key("id,name,supercat\n1,x,y\n1,z,y\n"), "line 3: .*already", id="key-twice"),
        pytest.param(_key("id,name,supercat\nx,x,y\n"), "line 2: id 'x'", id="key-text"),
        pytest.param(_key("id,name,supercat\n"), "lists no category", id="key-empty"),
    ],
)
def test_folder__every_fault_is_one_message_with_its_place(
    folder: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(folder)
    with pytest.raises(AnnotationError, match=message):
        read_dataset(folder)


def test_missing__folder_file_and_image_folder(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="nowhere does not exist"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetNotFoundError, match="--images"):
        read_dataset(folder, images=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetNotFoundError, match="is no data set: it needs category_key.csv"):
        read_dataset(tmp_path / "empty")
    (folder / "category_key.csv").unlink()
    with pytest.raises(DatasetNotFoundError, match="lacks category_key.csv"):
        read_dataset(folder)


def test_empty__a_data_set_without_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(coco(images=[], annotations=[])))
    with pytest.raises(DatasetError, match="is empty: it lists no image"):
        read_dataset(path)
    (tmp_path / "frames.csv").write_text("path,categories\n")
    with pytest.raises(AnnotationError, match="names no category"):
        read_dataset(tmp_path / "frames.csv")


def test_an_id_in_both_parts__is_refused(folder: Path) -> None:
    (folder / "object_detection/eval.json").write_text(json.dumps(coco(annotations=[])))
    with pytest.raises(AnnotationError, match="in the training and the evaluation part"):
        read_dataset(folder)


def test_another_file__is_refused(tmp_path: Path) -> None:
    (tmp_path / "frames.xlsx").write_bytes(b"")
    with pytest.raises(AnnotationError, match="neither a folder nor"):
        read_dataset(tmp_path / "frames.xlsx")
