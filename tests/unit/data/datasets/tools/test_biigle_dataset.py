"""BIIGLE's reports: labels of images, annotations drawn in them, and the volume's metadata."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box

_LABELS = (
    "image_label_id,image_id,filename,longitude,latitude,user_id,firstname,lastname,label_id,"
    "label_name,label_hierarchy,created_at\n"
)
_DRAWN = (
    "annotation_label_id,label_id,label_name,label_hierarchy,user_id,firstname,lastname,image_id,"
    "filename,image_longitude,image_latitude,shape_id,shape_name,points,attributes,annotation_id,"
    "created_at\n"
)


def write(folder: Path, text: str, metadata: str = "") -> Path:
    (folder / "report.csv").write_text(text)
    if metadata:
        (folder / "metadata.csv").write_text(metadata)
    return folder / "report.csv"


def test_image_labels__with_the_volumes_metadata(tmp_path: Path) -> None:
    report = _LABELS + (
        "1,1,a.jpg,,,2,Ada,L,7,Crab,Biota > Arthropod > Crab,2026-02-01 00:00:00\n"
        '2,1,a.jpg,,,2,Ada,L,8,"Star, brittle","Star, brittle",2026-02-01 00:00:00\n'
        "3,2,b.jpg,,,1,Finding Nemo,probe,7,Crab,Crab,\n"
    )
    metadata = (
        "filename,taken_at,lng,lat,gps_altitude\n"
        "a.jpg,2015-05-01 10:00:01,-122.25,36.5,-900.5\nc.jpg,,,,\n"
    )
    found = read_dataset(write(tmp_path, report, metadata))
    assert found.categories.names == ("Crab", "Star, brittle")
    assert found.categories.supercategories == ("Arthropod", "none")
    first, second, third = found.records
    assert (first.category_ids, first.depth_m, first.latitude) == ((1, 2), 900.5, 36.5)
    assert first.captured == datetime(2015, 5, 1, 10, 0, 1)
    assert (second.category_ids, third.image_id, third.category_ids) == (None, "c", None)
    assert "1 labels are a machine's" in found.notices[0]


def test_annotations__have_boxes_around_their_shapes(tmp_path: Path) -> None:
    def row(number: int, shape: str, points: str) -> str:
        return (
            f'{number},7,Crab,Crab,2,Ada,L,1,a.jpg,-122.25,36.5,5,{shape},"{points}",'
            f'"{{""width"":64,""height"":48}}",{number},2026-02-01 00:00:00\n'
        )

    report = _DRAWN + "".join(
        [
            row(1, "Rectangle", "[1,2,4,2,4,6,1,6]"),
            row(2, "Circle", "[10,20,5]"),
            row(3, "Point", "[7,8]"),
        ]
    )
    found = read_dataset(write(tmp_path, report))
    (record,) = found.records
    assert record.boxes == (Box(1, 1, 2, 3, 4), Box(1, 5, 15, 10, 10))
    assert (record.width, record.height, record.longitude) == (64, 48, -122.25)
    assert found.notices[0].startswith("1 labels are of points or lines")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_LABELS + "1,1,a.jpg,,,2,Ada,L,7,,x,\n", "line 2: label_name must be the name"),
        (_LABELS + "1,1,,,,2,Ada,L,7,Crab,x,\n", "line 2: file name '' is empty"),
        (_DRAWN + "1,7,C,C,2,A,L,1,a.jpg,,,5,Rectangle,x,,1,\n", "line 2: points, line 1"),
        (_DRAWN + '1,7,C,C,2,A,L,1,a.jpg,,,5,R,"[""x""]",,1,\n', "points must be a list of finite"),
        ("filename,label_name,frames\na.mp4,Crab,[0.1]\n", "it is of a video"),
        ("video_filename,label_name\na.mp4,Crab\n", "column filename is missing"),
    ],
)
def test_reports__faults_are_told_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        read_dataset(write(tmp_path, text))


def test_metadata__of_another_kind_is_not_read_and_it_is_said(tmp_path: Path) -> None:
    text = _LABELS + "1,1,a.jpg,,,2,Ada,L,7,Crab,Crab,\n"
    found = read_dataset(write(tmp_path, text, "x,y\n1,2\n"))
    assert "1 files are no metadata of BIIGLE" in found.notices[0]
