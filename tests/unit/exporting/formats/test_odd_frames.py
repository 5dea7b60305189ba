"""Whatever frames hold, each form is written so that a reader of its own finds the same again.

`FINDING_NEMO_FUZZ=2000` tries 2,000 inputs a form. Readers here are of the standard library or the
form's own package; none is the project's.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ifdo import iFDO

from eml_profile import eml_faults
from exported_frames import job, odd_frames
from finding_nemo.core.names.registries import load
from finding_nemo.exporting.export_frame import ExportFrame, plain_text
from finding_nemo.exporting.export_kinds import EXPORT_KINDS

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "5"))
Frames = list[ExportFrame]
Said = list[tuple[str, list[str]]]


def _xml(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()  # noqa: S314 - our own file


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _darwin_core(path: Path) -> Said:
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


def _biigle(path: Path) -> Said:
    labels = _table(path / "image_labels.csv")
    return [
        (row["filename"], [b["label_name"] for b in labels if b["image_id"] == str(number)])
        for number, row in enumerate(_table(path / "metadata.csv"), start=1)
    ]


def _coco(path: Path) -> Said:
    content = _json(path)
    names = {each["id"]: each["name"] for each in content["categories"]}
    assert len(names) == len(content["categories"])
    labels = content["image_labels"]
    return [
        (image["file_name"], [names[b["category_id"]] for b in labels if b["image_id"] == number])
        for number, image in enumerate(content["images"], start=1)
    ]


def _megadetector(path: Path) -> Said:
    content = _json(path)
    names = content["detection_categories"]
    return [
        (image["file"], [names[each["category"]] for each in image["detections"]])
        for image in content["images"]
    ]


def _camtrap(path: Path) -> Said:
    labels = _table(path / "observations.csv")
    return [
        (
            row["filePath"],
            [b["scientificName"] for b in labels if b["mediaID"] == row["mediaID"]],
        )
        for row in _table(path / "media.csv")
    ]


def _ifdo(path: Path) -> Said:
    content = _json(path)
    read = iFDO.from_dict(content)
    names = {each.id: each.name for each in read.image_set_header.image_annotation_labels or []}
    found = []
    for name, item in read.image_set_items.items():
        assert not isinstance(item, list)
        labels = [label for each in item.image_annotations or [] for label in each.labels]
        found.append((name, [names[label.label] for label in labels]))
    return found


def _label_studio(path: Path) -> Said:
    known = {each.get("value") for each in _xml(path / "label_config.xml").iter("Choice")}
    found = []
    for task in _json(path / "tasks.json"):
        said = [*task.get("annotations", []), *task.get("predictions", [])]
        names = [name for each in said for name in each["result"][0]["value"]["choices"]]
        assert set(names) <= known
        found.append((task["data"]["image"], names))
    return found


def _cvat(path: Path) -> Said:
    return [
        (str(image.get("name")), [str(tag.get("label")) for tag in image.iter("tag")])
        for image in _xml(path).iter("image")
    ]


def _fiftyone(path: Path) -> Said:
    content = _json(path / "labels.json")
    known = set(content["classes"])
    found = []
    for key, labels in content["labels"].items():
        assert {each["label"] for each in labels} <= known
        found.append((key, [each["label"] for each in labels]))
    return found


def _vars(path: Path) -> Said:
    found: dict[str, list[str]] = {}
    for each in _json(path):
        found.setdefault(each["imaged_moment_uuid"], []).append(each["concept"])
    return list(found.items())


def _squidle(path: Path) -> Said:
    found: dict[str, list[str]] = {}
    known = _json(path / "label_map.json")
    for each in _table(path / "annotations.csv"):
        found.setdefault(each["media_key"], []).append(each["label"])
    assert {plain_text(name) for name in known} >= {n for names in found.values() for n in names}
    return list(found.items())


def _names(frame: ExportFrame, *, twice: bool, plain: bool) -> list[str]:
    names = [label.name for label in (frame.labels if twice else frame.one_voice)]
    return sorted(plain_text(name) if plain else name for name in names)


# From each form to its reader, whether a name stands once for the machine and once for a person,
# whether texts are on one line, and whether frames without labels are in it.
_READERS: dict[str, tuple[Callable[[Path], Said], bool, bool, bool]] = {
    "darwin-core": (_darwin_core, True, True, True),
    "biigle": (_biigle, False, True, True),
    "coco": (_coco, False, False, True),
    "megadetector": (_megadetector, False, False, True),
    "camtrap-dp": (_camtrap, True, True, True),
    "ifdo": (_ifdo, True, False, True),
    "label-studio": (_label_studio, True, True, True),
    "cvat": (_cvat, False, True, True),
    "fiftyone": (_fiftyone, False, False, True),
    "vars": (_vars, False, False, False),
    "squidle": (_squidle, False, True, False),
}


def test_every_form__has_a_reader() -> None:
    assert set(EXPORT_KINDS) - set(_READERS) == {"ifdo-2.1.0", "submission"}


@pytest.mark.parametrize("kind", _READERS)
@settings(
    max_examples=_N,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(frames=odd_frames())
def test_odd_frames__are_found_again(kind: str, frames: Frames) -> None:
    reader, twice, plain, with_empty = _READERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"out{EXPORT_KINDS[kind].suffix}"
        if not EXPORT_KINDS[kind].suffix:
            out.mkdir()
        load(EXPORT_KINDS[kind].writer)(iter(frames), job(frame_boxes=False), out)
        found = reader(out)
    wanted = [_names(frame, twice=twice, plain=plain) for frame in frames]
    if kind == "fiftyone":
        assert sorted(len(names) for _, names in found) == sorted(map(len, wanted))
    kept = wanted if with_empty else [names for names in wanted if names]
    assert [sorted(names) for _, names in found] == kept


@settings(max_examples=_N, deadline=None)
@given(frames=odd_frames(), with_boxes=st.booleans())
def test_biigles_ifdo__has_corners_of_whole_frames(frames: Frames, with_boxes: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        load(EXPORT_KINDS["ifdo-2.1.0"].writer)(iter(frames), job(frame_boxes=with_boxes), out)
        items = _json(out)["image-set-items"]
    for frame in frames:
        shapes = items[frame.file_name].get("image-annotations", [])
        assert len(shapes) == (len(frame.one_voice) if frame.width and frame.height else 0)
        for shape in shapes:
            (corners,) = shape["coordinates"]
            assert corners == [0, 0, frame.width, 0, frame.width, frame.height, 0, frame.height]
