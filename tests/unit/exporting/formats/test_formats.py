"""What each form says of a frame whose values are known, in the form's own words."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO

from exported_frames import frame, job, machine, person
from finding_nemo.exporting.export_frame import NOWHERE, FramePosition
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.formats.biigle import write_biigle
from finding_nemo.exporting.formats.camtrap_dp import distance_m, write_camtrap_dp
from finding_nemo.exporting.formats.coco_export import write_coco
from finding_nemo.exporting.formats.ifdo_export import write_ifdo, write_ifdo_for_biigle
from finding_nemo.exporting.formats.megadetector import write_megadetector
from finding_nemo.exporting.formats.submission_export import write_submission_rows
from finding_nemo.exporting.formats.vars_annotations import write_vars
from finding_nemo.exporting.taxon_names import TaxonNames
from finding_nemo.marine.resolve_names import resolve_name

_CRAB = "Chionoecetes tanneri"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def content(path: Path) -> Any:
    return json.loads(path.read_text())


def test_coco__opens_in_pycocotools(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [frame(), frame("b", labels=(machine("Gastropod"), person(_CRAB)))]
    write_coco(iter(frames), job(), tmp_path / "out.json")
    read = COCO(str(tmp_path / "out.json"))
    capsys.readouterr()
    assert [read.loadImgs(i)[0]["file_name"] for i in read.getImgIds()] == ["a.png", "b.png"]
    annotations = read.loadAnns(read.getAnnIds(imgIds=[2]))
    names = {each["id"]: each["name"] for each in read.loadCats(read.getCatIds())}
    assert [names[each["category_id"]] for each in annotations] == ["Gastropod", _CRAB]
    assert annotations[0]["bbox"] == [0, 0, 64, 48]
    assert annotations[0]["area"] == 3072
    assert annotations[1]["reviewer"] == "Ada"


def test_coco_without_boxes__says_where_labels_are(tmp_path: Path) -> None:
    of = job(frame_boxes=False)
    write_coco(iter([frame()]), of, tmp_path / "out.json")
    found = content(tmp_path / "out.json")
    assert found["annotations"] == []
    said = {"image_id": 1, "category_id": 3, "source": "machine", "score": 0.75}
    assert found["image_labels"] == [said]
    assert "--frame-boxes" in of.notices()[0]


def test_biigle__metadata_and_tree(tmp_path: Path) -> None:
    known = ExportJob(source=job().source, names=TaxonNames(resolve_name))
    write_biigle(iter([frame(), frame("b", position=NOWHERE, captured=None)]), known, tmp_path)
    first, second = table(tmp_path / "metadata.csv")
    assert first == {
        "filename": "a.png",
        "taken_at": "2015-05-01 10:00:01",
        "lng": "-122.25",
        "lat": "36.5",
        "gps_altitude": "-900.5",
        "distance_to_ground": "",
    }
    assert set(second.values()) == {"b.png", ""}
    label, _ = table(tmp_path / "image_labels.csv")
    assert label["label_name"] == _CRAB
    with zipfile.ZipFile(tmp_path / "label_tree.zip") as archive:
        tree = json.loads(archive.read("label_tree.json"))
        rows = list(csv.DictReader(archive.read("labels.csv").decode().splitlines()))
    assert set(tree) >= {"id", "name", "description", "created_at", "updated_at", "uuid", "version"}
    by_name = {row["name"]: row for row in rows}
    assert by_name[_CRAB]["parent_id"] == by_name["Crab"]["id"]
    assert by_name[_CRAB]["id"] == label["label_id"] == "3"
    assert by_name["Crab"]["parent_id"] == ""
    assert len({row["id"] for row in rows}) == len(rows) == 5


def test_megadetector__whole_frames(tmp_path: Path) -> None:
    both = frame(labels=(person(_CRAB), machine(_CRAB, 3), machine("Gastropod")))
    write_megadetector(iter([both, frame("b", labels=())]), job(), tmp_path / "out.json")
    found = content(tmp_path / "out.json")
    assert found["info"]["format_version"] == "1.6"
    first, second = found["images"]
    assert [each["conf"] for each in first["detections"]] == [1.0, 0.75]
    assert first["detections"][0]["bbox"] == [0, 0, 1, 1]
    assert first["datetime"] == "2015:05:01 10:00:01"
    assert second["detections"] == []


def test_megadetector__has_no_blank_names(tmp_path: Path) -> None:
    of = job()
    write_megadetector(iter([frame(labels=(machine(" "),))]), of, tmp_path / "out.json")
    names = content(tmp_path / "out.json")["detection_categories"]
    assert [name for name in names.values() if "name" in name] == ["(no name)"]
    assert of.notices()[0].startswith("1 labels have a blank name")


def test_camtrap__deployment_is_the_middle_of_its_frames(tmp_path: Path) -> None:
    there = FramePosition(latitude=36.5, longitude=-122.249, depth_m=901.5)
    write_camtrap_dp(iter([frame(), frame("b", position=there)]), job(), tmp_path)
    (deployment,) = table(tmp_path / "deployments.csv")
    assert (deployment["latitude"], deployment["longitude"]) == ("36.5", "-122.2495")
    assert deployment["coordinateUncertainty"] == "45"  # half of 0.001 degrees, 44.7 m there
    assert deployment["deploymentStart"] == deployment["deploymentEnd"] == "2015-05-01T10:00:01Z"
    assert deployment["deploymentComments"] == "depth 900.5 to 901.5 m"
    observation = table(tmp_path / "observations.csv")[0]
    assert observation["classificationMethod"] == "machine"
    assert observation["classificationProbability"] == "0.75"
    package = content(tmp_path / "datapackage.json")
    assert {each["name"] for each in package["resources"]} == {
        "deployments",
        "media",
        "observations",
    }
    assert package["temporal"] == {"start": "2015-05-01", "end": "2015-05-01"}
    assert package["spatial"]["coordinates"][0][0] == [-122.25, 36.5]
    assert package["taxonomic"] == [{"scientificName": _CRAB}]


# What its table schemas require, and how they write moments.
_REQUIRED = {
    "deployments.csv": (
        *("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"),
    ),
    "media.csv": (
        *("mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"),
    ),
    "observations.csv": (
        *("observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel"),
        "observationType",
    ),
}
_MOMENTS = ("Start", "End", "timestamp", "Timestamp")


def test_camtrap__fills_what_its_schemas_require(tmp_path: Path) -> None:
    late = datetime(2015, 5, 1, 10, 0, 2, 500_000)
    frames = [frame(labels=(person(_CRAB), machine(_CRAB, 3))), frame("b", captured=late)]
    write_camtrap_dp(iter(frames), job(), tmp_path)
    ids = set()
    for file, required in _REQUIRED.items():
        rows = table(tmp_path / file)
        assert rows
        for row in rows:
            assert all(row[name] for name in required)
            for name, value in row.items():
                if name.endswith(_MOMENTS):
                    datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
        ids |= {row["deploymentID"] for row in rows}
    assert ids == {"Ventana 12"}
    observations = table(tmp_path / "observations.csv")
    assert len({row["observationID"] for row in observations}) == 3
    assert {row["mediaID"] for row in observations} == {"a", "b"}


def test_distance__a_degree_of_latitude_and_round_the_world() -> None:
    assert distance_m(0, 0, 1, 0) == pytest.approx(111_195, abs=1)
    assert distance_m(0, 179.5, 0, -179.5) == pytest.approx(111_195, abs=1)
    assert distance_m(90, 0, -90, 0) == pytest.approx(20_015_115, abs=1)


def test_ifdo__header_has_only_what_all_frames_have(tmp_path: Path) -> None:
    write_ifdo(iter([frame(), frame("b")]), job(license="CC0"), tmp_path / "all.json")
    header = content(tmp_path / "all.json")["image-set-header"]
    assert (header["image-latitude"], header["image-altitude-meters"]) == (36.5, -900.5)
    assert header["image-set-ifdo-version"] == "v2.2.1"
    of = job()
    write_ifdo(iter([frame(), frame("b", position=NOWHERE)]), of, tmp_path / "some.json")
    header = content(tmp_path / "some.json")["image-set-header"]
    assert "image-latitude" not in header
    assert "image-datetime" in header
    assert any("iFDO requires of the header" in notice for notice in of.notices())


def test_ifdo__hashes_files_that_are_here(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"abc")
    of = ExportJob(source=job().source, images=tmp_path)
    write_ifdo_for_biigle(iter([frame()]), of, tmp_path / "out.json")
    item = content(tmp_path / "out.json")["image-set-items"]["a.png"]
    # The SHA-256 of "abc", from the standard that defines it.
    assert item["image-hash-sha256"].startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9c")
    assert item["image-altitude"] == item["image-altitude-meters"] == -900.5
    assert item["image-annotations"][0]["labels"][0]["confidence"] == 0.75


def test_vars__an_annotation(tmp_path: Path) -> None:
    of = job(video_reference_uuid="u")
    write_vars(iter([frame(), frame("b", labels=())]), of, tmp_path / "out.json")
    (found,) = content(tmp_path / "out.json")
    assert (found["concept"], found["video_reference_uuid"]) == (_CRAB, "u")
    assert found["recorded_timestamp"] == "2015-05-01T10:00:01Z"
    assert found["ancillary_data"]["depth_meters"] == 900.5
    assert found["associations"][1]["link_value"] == "0.75"
    assert of.notices() == ()


def test_submission__has_every_row(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"image_id": "=a", "categories": [7, 3], "novelty": 0.25},
        {"image_id": "b", "categories": None, "novelty": None},
    ]
    write_submission_rows(rows, job(), tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines == ["id,categories,osd", "=a,7 3,0.25", "b,3 7 9,0.5"]


def test_submission__quotes_an_id_with_a_lone_return(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"image_id": "0\r", "categories": [7], "novelty": 0.25}]
    write_submission_rows(rows, job(), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b'id,categories,osd\n"0\r","7","0.25"\n'
