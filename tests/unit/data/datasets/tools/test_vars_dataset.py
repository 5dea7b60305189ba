"""VARS: annotations of one image are one frame; those without an image are passed over."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box

_BASE = "https://h/framegrabs/Ventana/images/4301"


def association(name: str, value: str) -> dict[str, str]:
    return {"link_name": name, "to_concept": "self", "link_value": value}


def annotation(concept: object = "Crab", **values: Any) -> dict[str, Any]:
    return {
        "concept": concept,
        "observer": "ada",
        "observation_uuid": "o1",
        "imaged_moment_uuid": "m1",
        "video_reference_uuid": "v1",
        "recorded_timestamp": "2015-05-01T10:00:01Z",
        "ancillary_data": {"depth_meters": 900.5, "latitude": 36.5, "longitude": -122.25},
        "image_references": [
            {"url": f"{_BASE}/a.jpg", "format": "image/jpg", "uuid": "r1", "width_pixels": 640},
            {"url": f"{_BASE}/a.png", "format": "image/png", "uuid": "r2", "width_pixels": 1920},
        ],
        "associations": [],
        **values,
    }


def box(reference: str = "r2", **values: Any) -> dict[str, str]:
    sides = {"x": 1, "y": 2, "width": 3, "height": 4, "image_reference_uuid": reference}
    return association("bounding box", json.dumps({**sides, **values}))


def write(folder: Path, *entries: Any) -> Path:
    (folder / "vars.json").write_text(json.dumps(entries))
    return folder / "vars.json"


def test_annotations__of_one_image_are_one_frame(tmp_path: Path) -> None:
    found = read_dataset(
        write(
            tmp_path,
            annotation(associations=[box(), box()]),
            annotation("Fish"),
            annotation("Squid", associations=[association("identified-by", "machine")]),
            annotation("Eel", image_references=[]),
        )
    )
    (record,) = found.records
    assert found.categories.names == ("Crab", "Fish")
    assert record.category_ids == (1, 2)
    assert record.boxes == (Box(1, 1, 2, 3, 4), Box(1, 1, 2, 3, 4))
    assert (record.path.name, record.width) == ("a.png", 1920)
    assert (record.dive, record.depth_m, record.latitude) == ("Ventana 4301", 900.5, 36.5)
    assert record.captured == datetime(2015, 5, 1, 10, 0, 1)
    assert "1 annotations have no image, and are passed over (first: 'Eel')" in found.notices[0]
    assert "1 labels are a machine's" in found.notices[1]


def test_dives__are_named_or_else_the_video(tmp_path: Path) -> None:
    elsewhere = [{"url": "https://h/x/b.png"}]
    named = annotation(dive_number="V 12", image_references=elsewhere)
    assert read_dataset(write(tmp_path, named)).records[0].dive == "V 12"
    found = read_dataset(write(tmp_path, annotation(image_references=elsewhere)))
    assert found.records[0].dive == "v1"
    assert "their video stands for it" in found.notices[0]


def test_boxes__choose_their_image(tmp_path: Path) -> None:
    found = read_dataset(write(tmp_path, annotation(associations=[box("r1")])))
    assert found.records[0].path.name == "a.jpg"
    assert len(found.records[0].boxes) == 1
    found = read_dataset(write(tmp_path, annotation(associations=[box("other")])))
    assert (found.records[0].boxes, found.records[0].category_ids) == ((), (1,))
    assert "1 boxes are of another image" in found.notices[0]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (annotation(None), "annotation 0: concept must be the name of what is seen, got null"),
        (annotation(associations={}), "associations must be a list, got an object"),
        (annotation(associations=[box(x="q")]), "must have finite x, y, width and height"),
        (annotation(associations=[association("bounding box", "{")]), "link_value.*not JSON"),
        (annotation(ancillary_data=[1]), "ancillary_data must be an object"),
        (annotation(image_references=[]), "none of its 1 annotations has an image"),
    ],
)
def test_annotations__faults_are_told_with_their_number(
    tmp_path: Path, entry: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, entry))
