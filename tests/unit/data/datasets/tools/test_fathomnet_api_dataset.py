"""Answers of FathomNet's interface: images, boxes, where and when."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box

_URL = "https://database.fathomnet.org/static/m3/framegrabs/Doc%20Ricketts/images/0297/05_22.png"


def image(**values: Any) -> dict[str, Any]:
    box = {"x": 1, "y": 2, "width": 3, "height": 4, "observer": "ada", "verified": True}
    return {
        "id": 7,
        "uuid": "00000000-0000-0000-0000-000000000007",
        "url": _URL,
        "width": 1920,
        "height": 1080,
        "depthMeters": 2890.5,
        "latitude": 36.5,
        "longitude": -122.25,
        "timestamp": "2011-11-02T15:04:05Z",
        "boundingBoxes": [
            {**box, "concept": "Crab"},
            {**box, "concept": "Fish", "rejected": True},
            {**box, "concept": "Eel", "width": 0},
        ],
        **values,
    }


def write(folder: Path, content: object) -> Path:
    (folder / "images.json").write_text(json.dumps(content))
    return folder / "images.json"


def test_answer__by_hand(tmp_path: Path) -> None:
    for content in ([image()], image()):
        found = read_dataset(write(tmp_path, content))
        (record,) = found.records
        assert found.categories.names == ("Crab", "Eel")
        assert (record.category_ids, record.boxes) == ((1, 2), (Box(1, 1, 2, 3, 4),))
        assert record.path.name == "00000000-0000-0000-0000-000000000007.png"
        assert (record.dive, record.url) == ("Doc Ricketts 0297", _URL)
        assert record.captured == datetime(2011, 11, 2, 15, 4, 5)
        assert (record.depth_m, record.latitude, record.width) == (2890.5, 36.5, 1920)
        assert [notice[:36] for notice in found.notices] == [
            "1 boxes were rejected by a reviewer,",
            "1 boxes have no area; their names ar",
        ]


def test_values__that_cannot_be_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read_dataset(write(tmp_path, [image(depthMeters=-3, latitude="x", width=-1)]))
    (record,) = found.records
    assert (record.depth_m, record.latitude, record.width) == (None, None, None)
    assert len(found.notices) == 2 + 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([image(uuid=None)], "image 0: uuid must be a text, got None"),
        ([image(uuid="../x")], "leaves the image folder"),
        ([image(boundingBoxes="x")], "boundingBoxes must be a list, got text"),
        ([image(boundingBoxes=[{"concept": None}])], "concept of a box must be the name"),
        ([image(), 7], "image 1: it must be an object, got a number"),
        ([image(boundingBoxes=[])], "names no category"),
    ],
)
def test_answer__faults_are_told_with_their_number(
    tmp_path: Path, content: object, message: str
) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, content))
