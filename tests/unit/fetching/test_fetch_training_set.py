"""A training set from FathomNet's answers: evaluation images are never in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.errors import FetchError, OutputExistsError, SettingsError
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.dataset import read_dataset
from finding_nemo.fetching.fathomnet.concept_query import (
    PAGE_SIZE,
    ConceptFilter,
    parse_day,
    parse_region,
)
from finding_nemo.fetching.fetch_training_set import TrainingSetRequest, gather_training_set
from finding_nemo.fetching.transfer.politeness import Politeness
from misbehaving_server import MisbehavingServer

pytestmark = pytest.mark.usefixtures("no_proxy")
QUICK = Politeness(per_s=1000.0, tries=3, first_wait_s=0.01, longest_wait_s=0.01)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


EVALUATION, TRAINED, MOVED = uuid(1), uuid(2), uuid(3)


def competition(folder: Path) -> Path:
    """A data set of three categories; "Eel" and "Squid" have no training image."""
    (folder / "object_detection").mkdir(parents=True)
    (folder / "category_key.csv").write_text(
        "id,name,supercat\n1,Crab,Animal\n2,Eel,Animal\n3,Squid,Animal\n"
    )
    images = [{"id": 1, "file_name": f"{TRAINED}.png", "coco_url": "https://h.org/t.png"}]
    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}]
    (folder / "object_detection/train.json").write_text(
        json.dumps({"images": images, "annotations": boxes})
    )
    evaluation = [
        {"id": 1, "file_name": f"{EVALUATION}.png", "coco_url": "https://h.org/static/E%201.png"}
    ]
    (folder / "object_detection/eval.json").write_text(json.dumps({"images": evaluation}))
    return folder


def entry(number: int, concept: str = "Eel", **values: Any) -> dict[str, Any]:
    box = {"concept": concept, "x": 1, "y": 2, "width": 3, "height": 4}
    return {
        "uuid": uuid(number),
        "url": f"https://d.org/{number}.png",
        "width": 64,
        "height": 48,
        "timestamp": "2019-05-31T10:00:00Z",
        "depthMeters": 900.0,
        "boundingBoxes": [box],
        **values,
    }


class Api:
    """Stands for FathomNet's interface."""

    def __init__(self, images: Mapping[str, list[dict[str, Any]]]) -> None:
        self.images, self.asked = images, []  # type: tuple[Any, list[dict[str, Any]]]

    def __call__(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = json.loads(body)
        self.asked.append(asked)
        found = self.images.get(asked["concept"], [])
        page = found[asked["offset"] : asked["offset"] + asked["limit"]]
        return 200, {}, json.dumps(page).encode()


def gathered(tmp_path: Path, api: Api, words: list[str] | None = None, **choices: Any) -> Path:
    dataset = tmp_path / "competition"
    if not dataset.exists():
        competition(dataset)
    with MisbehavingServer({}, special={"/api/images/query": api}) as server:
        request = TrainingSetRequest(
            annotations=dataset,
            folder=tmp_path / "new",
            politeness=QUICK,
            api=f"{server.url}/api",
            **choices,
        )
        return gather_training_set(request, Reporter((words if words is not None else []).append))


def test_unseen__is_asked_for_and_can_be_read_as_a_data_set(tmp_path: Path) -> None:
    api = Api({"Eel": [entry(10), entry(11, tags=[{"key": "license", "value": "CC0"}])]})
    path = gathered(tmp_path, api)
    assert [asked["concept"] for asked in api.asked] == ["Eel", "Squid"]
    found = read_dataset(path)
    assert [record.image_id for record in found.records] == [uuid(10), uuid(11)]
    assert [record.url for record in found.records] == [
        "https://d.org/10.png",
        "https://d.org/11.png",
    ]
    assert {record.category_ids for record in found.records} == {(2,)}
    assert found.categories.names == ("Crab", "Eel", "Squid")
    with (tmp_path / "new/provenance.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["license"] for row in rows] == [
        "not stated for this image; see https://fathomnet.org/terms",
        "CC0",
    ]
    assert (rows[0]["depth_m"], rows[0]["captured"]) == ("900.0", "2019-05-31T10:00:00Z")


def test_evaluation_images__are_refused_by_uuid_and_by_a_moved_address(tmp_path: Path) -> None:
    images = [
        entry(1, url="https://elsewhere.org/new-name.png"),
        entry(3, url="https://database.h.org/static/e 1.png"),
        entry(2),
        entry(10),
    ]
    words: list[str] = []
    path = gathered(tmp_path, Api({"Eel": images}), words)
    assert [record.image_id for record in read_dataset(path).records] == [uuid(10)]
    assert any("2 evaluation images, refused" in each for each in words)
    assert any("1 images that the data set has already" in each for each in words)
    for written in (tmp_path / "new").iterdir():
        assert EVALUATION not in written.read_text()
        assert MOVED not in written.read_text()


def test_without_the_list_of_evaluation_images__nothing_is_asked(tmp_path: Path) -> None:
    competition(tmp_path / "competition")
    (tmp_path / "competition/object_detection/eval.json").unlink()
    api = Api({})
    with pytest.raises(FetchError, match="evaluation"):
        gathered(tmp_path, api)
    assert api.asked == []


def test_boxes__of_other_names_rejected_or_without_a_place_are_passed_over(tmp_path: Path) -> None:
    def box(**values: Any) -> dict[str, Any]:
        return {"concept": "Eel", "x": 1, "y": 2, "width": 3, "height": 4, **values}

    boxes = [
        box(concept="Starship"),
        box(rejected=True),
        box(reviewState="REJECTED"),
        box(width=0),
        box(x=None),
        box(concept=" EEL "),
        "no box",
    ]
    words: list[str] = []
    path = gathered(tmp_path, Api({"Eel": [entry(10, boundingBoxes=boxes)]}), words)
    (record,) = read_dataset(path).records
    assert len(record.boxes) == 1
    assert any("1 boxes of names that are not in the table" in each for each in words)
    assert any("2 boxes that a reviewer rejected" in each for each in words)
    assert any("2 boxes that have no place" in each for each in words)


def test_pages__are_asked_for_to_the_end_and_no_image_is_taken_twice(tmp_path: Path) -> None:
    images = [entry(100 + number) for number in range(2 * PAGE_SIZE + 3)]
    api = Api({"Eel": images, "Squid": images[:5]})
    path = gathered(tmp_path, api)
    assert len(read_dataset(path).records) == 2 * PAGE_SIZE + 3
    assert [asked["offset"] for asked in api.asked] == [0, PAGE_SIZE, 2 * PAGE_SIZE, 0]


def test_concepts_of_a_file_with_filters_and_a_limit(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("# two of the table\nsquid\n\nCrab\n")
    images = {"Squid": [entry(100 + n, "Squid") for n in range(9)]}
    api = Api(images)
    wanted = ConceptFilter(
        min_depth_m=800.0,
        region=parse_region("35,37,-123,-121"),
        since=parse_day("2019-01-01"),
        until=parse_day("2019-12-31"),
        per_concept=4,
    )
    path = gathered(tmp_path, api, concepts=names, wanted=wanted)
    assert len(read_dataset(path).records) == 4
    assert api.asked[0] == {
        "concept": "Squid",
        "limit": PAGE_SIZE,
        "offset": 0,
        "minDepth": 800.0,
        "minLatitude": 35.0,
        "maxLatitude": 37.0,
        "minLongitude": -123.0,
        "maxLongitude": -121.0,
        "startTimestamp": "2019-01-01T00:00:00Z",
        "endTimestamp": "2019-12-31T23:59:59Z",
    }


def test_the_same_question_again__asks_nothing_and_another_is_refused(tmp_path: Path) -> None:
    api = Api({"Eel": [entry(10)]})
    path = gathered(tmp_path, api)
    before = path.read_bytes()
    n_asked = len(api.asked)
    assert gathered(tmp_path, api).read_bytes() == before
    with pytest.raises(OutputExistsError, match="another question"):
        gathered(tmp_path, api, wanted=ConceptFilter(min_depth_m=1.0))
    assert len(api.asked) == n_asked


def test_names_that_are_not_in_the_table__are_refused(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    for text in ("Kraken\n", "# nothing\n"):
        names.write_text(text)
        with pytest.raises(SettingsError, match="must be a name"):
            gathered(tmp_path, Api({}), concepts=names)


def test_no_image_and_a_failing_interface__are_said(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="no image"):
        gathered(tmp_path, Api({}))
    assert not (tmp_path / "new/annotations.json").exists()
    request = TrainingSetRequest(
        annotations=tmp_path / "competition",
        folder=tmp_path / "new",
        politeness=QUICK,
        api="http://127.0.0.1:1/api",
    )
    with pytest.raises(FetchError, match="cannot be reached"):
        gather_training_set(request, Reporter())


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "37,35,-123,-121", "0,0,-181,0", "0,91,0,1"]
)
def test_region__that_is_none(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_region(text)


@pytest.mark.parametrize("text", ["", "31.05.2019", "2019-02-30", "2019-05-31T10:00"])
def test_day__that_is_none(text: str) -> None:
    with pytest.raises(SettingsError, match="2019-05-31"):
        parse_day(text)
