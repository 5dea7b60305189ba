"""Readers of what `convert` writes, none the project's own: of a package, or of a specification.

Each returns the frames of a file in their order, with the names that it has of them.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

from ifdo import iFDO

from eml_profile import eml_faults
from finding_nemo.exporting.export_frame import plain_text

Found = list[tuple[str, list[str]]]


def _xml(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()  # noqa: S314 - our own file


def json_of(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _darwin_core(path: Path) -> Found:
    """Read the tables as the text guide says it: lines, then tabs, nothing quoted."""
    tables = []
    for name in ("event.txt", "occurrence.txt"):
        header, *lines = (path / name).read_bytes().decode().split("\n")[:-1]
        columns = header.split("\t")
        tables.append([dict(zip(columns, line.split("\t"), strict=True)) for line in lines])
    events = [each for each in tables[0] if each["eventType"] == "image"]
    assert len({each["eventID"] for each in tables[0]}) == len(tables[0])
    assert len({each["occurrenceID"] for each in tables[1]}) == len(tables[1])
    assert eml_faults(path / "eml.xml") == []
    _xml(path / "meta.xml")
    return [
        (
            event["eventID"],
            [o["verbatimIdentification"] for o in tables[1] if o["eventID"] == event["eventID"]],
        )
        for event in events
    ]


def _biigle(path: Path) -> Found:
    labels = _table(path / "image_labels.csv")
    return [
        (row["filename"], [b["label_name"] for b in labels if b["image_id"] == str(number)])
        for number, row in enumerate(_table(path / "metadata.csv"), start=1)
    ]


def _coco(path: Path) -> Found:
    content = json_of(path)
    names = {each["id"]: each["name"] for each in content["categories"]}
    assert len(names) == len(content["categories"])
    labels = content["image_labels"]
    return [
        (image["file_name"], [names[b["category_id"]] for b in labels if b["image_id"] == number])
        for number, image in enumerate(content["images"], start=1)
    ]


def _megadetector(path: Path) -> Found:
    content = json_of(path)
    names = content["detection_categories"]
    assert isinstance(content["info"]["format_version"], str)
    for number, name in names.items():
        assert number.isdecimal()
        assert name.strip()
    return [
        (image["file"], [names[each["category"]] for each in image["detections"]])
        for image in content["images"]
    ]


def _camtrap(path: Path) -> Found:
    labels = _table(path / "observations.csv")
    return [
        (
            row["filePath"],
            [b["scientificName"] for b in labels if b["mediaID"] == row["mediaID"]],
        )
        for row in _table(path / "media.csv")
    ]


def _ifdo(path: Path) -> Found:
    content = json_of(path)
    read = iFDO.from_dict(content)
    names = {each.id: each.name for each in read.image_set_header.image_annotation_labels or []}
    found = []
    for name, item in read.image_set_items.items():
        assert not isinstance(item, list)
        labels = [label for each in item.image_annotations or [] for label in each.labels]
        found.append((name, [names[label.label] for label in labels]))
    return found


def _label_studio(path: Path) -> Found:
    known = {each.get("value") for each in _xml(path / "label_config.xml").iter("Choice")}
    found = []
    for task in json_of(path / "tasks.json"):
        said = [*task.get("annotations", []), *task.get("predictions", [])]
        names = [name for each in said for name in each["result"][0]["value"]["choices"]]
        assert set(names) <= known
        found.append((task["data"]["image"], names))
    return found


def _cvat(path: Path) -> Found:
    return [
        (str(image.get("name")), [str(tag.get("label")) for tag in image.iter("tag")])
        for image in _xml(path).iter("image")
    ]


def _fiftyone(path: Path) -> Found:
    content = json_of(path / "labels.json")
    known = set(content["classes"])
    found = []
    for key, labels in content["labels"].items():
        assert {each["label"] for each in labels} <= known
        found.append((key, [each["label"] for each in labels]))
    return found


def _vars(path: Path) -> Found:
    found: dict[str, list[str]] = {}
    for each in json_of(path):
        found.setdefault(each["imaged_moment_uuid"], []).append(each["concept"])
    return list(found.items())


def _squidle(path: Path) -> Found:
    found: dict[str, list[str]] = {}
    known = json_of(path / "label_map.json")
    for each in _table(path / "annotations.csv"):
        found.setdefault(each["media_key"], []).append(each["label"])
    assert {plain_text(name) for name in known} >= {n for names in found.values() for n in names}
    return list(found.items())


def _biigles_ifdo(path: Path) -> Found:
    return [(name, []) for name in json_of(path)["image-set-items"]]


def _submission(path: Path) -> Found:
    rows = _table(path)
    for row in rows:
        assert set(row) == {"id", "categories", "osd"}
        assert all(each.isdecimal() for each in row["categories"].split(" "))
        assert math.isfinite(float(row["osd"]))
    return [(row["id"], []) for row in rows]


# From each form to its reader, whether a name stands once for the machine and once for a person,
# whether texts are on one line, and whether frames without labels are in it.
READERS: Mapping[str, tuple[Callable[[Path], Found], bool, bool, bool]] = {
    "darwin-core": (_darwin_core, True, True, True),
    "biigle": (_biigle, False, True, True),
    "coco": (_coco, False, False, True),
    "megadetector": (_megadetector, False, False, True),
    "camtrap-dp": (_camtrap, True, True, True),
    "ifdo": (_ifdo, True, False, True),
    "ifdo-2.1.0": (_biigles_ifdo, False, False, True),
    "label-studio": (_label_studio, True, True, True),
    "cvat": (_cvat, False, True, True),
    "fiftyone": (_fiftyone, False, False, True),
    "vars": (_vars, False, False, False),
    "squidle": (_squidle, False, True, False),
    "submission": (_submission, False, True, True),
}
