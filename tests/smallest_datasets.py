"""The smallest data set of each form, which more than one file of tests writes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path


def _fathomnet(folder: Path) -> Path:
    (folder / "multilabel_classification").mkdir()
    (folder / "category_key.csv").write_text("id,name,supercat\n1,Crab,Animal\n")
    (folder / "multilabel_classification/train.csv").write_text('id,categories\na,"[1.0]"\n')
    return folder


def _coco(folder: Path) -> Path:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}],
        "categories": [{"id": 1, "name": "Crab", "supercategory": "Animal"}],
    }
    (folder / "frames.json").write_text(json.dumps(content))
    return folder / "frames.json"


def _csv(folder: Path) -> Path:
    (folder / "frames.csv").write_text("path,categories\na.png,Crab\n")
    return folder / "frames.csv"


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "frames.zip", "w") as archive:
        archive.writestr("category_key.csv", "id,name,supercat\n1,Crab,Animal\n")
        archive.writestr("multilabel_classification/train.csv", 'id,categories\na,"[1.0]"\n')
    return folder / "frames.zip"


def _write_json(folder: Path, content: object) -> Path:
    (folder / "frames.json").write_text(json.dumps(content))
    return folder / "frames.json"


def _ifdo(folder: Path) -> Path:
    label = {"label": "1", "annotator": "ada", "created-at": "2026-02-01T00:00:00Z"}
    return _write_json(
        folder,
        {
            "image-set-header": {
                "image-set-name": "x",
                "image-annotation-labels": [{"id": "1", "name": "Crab"}],
                "image-annotation-creators": [{"id": "ada", "name": "Ada"}],
            },
            "image-set-items": {
                "a.png": {
                    "image-altitude-meters": -900.5,
                    "image-annotations": [
                        {"shape": "whole-image", "coordinates": [], "labels": [label]}
                    ],
                }
            },
        },
    )


def _biigle(folder: Path) -> Path:
    (folder / "frames.csv").write_text(
        "image_label_id,image_id,filename,longitude,latitude,user_id,firstname,lastname,label_id,"
        "label_name,label_hierarchy,created_at\n"
        "1,1,a.png,-122.5,36.5,2,Ada,Lovelace,7,Crab,Animal > Crab,2026-02-01 00:00:00\n"
    )
    return folder / "frames.csv"


def _cvat(folder: Path) -> Path:
    (folder / "frames.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
        "<meta><task><labels><label><name>Crab</name></label></labels></task></meta>\n"
        '<image id="0" name="a.png" width="64" height="48">\n'
        '<box label="Crab" source="manual" xtl="1" ytl="2" xbr="4" ybr="6"></box>\n'
        "</image>\n</annotations>\n"
    )
    return folder / "frames.xml"


def _label_studio(folder: Path) -> Path:
    result = {
        "from_name": "label",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": ["Crab"]},
    }
    task = {"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": [result]}]}
    return _write_json(folder, [task])


def _fathomnet_api(folder: Path) -> Path:
    box = {"concept": "Crab", "x": 1, "y": 2, "width": 3, "height": 4, "rejected": False}
    image = {"uuid": "a", "url": "https://h/x/7.png", "width": 64, "boundingBoxes": [box]}
    return _write_json(folder, [image])


def _vars(folder: Path) -> Path:
    annotation = {
        "concept": "Crab",
        "observation_uuid": "o1",
        "imaged_moment_uuid": "m1",
        "image_references": [{"url": "https://h/x/a.png", "format": "image/png", "uuid": "r1"}],
        "associations": [],
    }
    return _write_json(folder, [annotation])


SMALLEST: Mapping[str, Callable[[Path], Path]] = {
    "fathomnet2023": _fathomnet,
    "coco": _coco,
    "csv": _csv,
    "fathomnet2023-zip": _zip,
    "ifdo": _ifdo,
    "biigle": _biigle,
    "cvat": _cvat,
    "label-studio": _label_studio,
    "fathomnet-api": _fathomnet_api,
    "vars": _vars,
}
