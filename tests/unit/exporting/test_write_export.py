"""From a predictions file to another form: which labels, what is counted, what is refused."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exported_frames import row, write_predictions
from finding_nemo.core.errors import (
    OutputExistsError,
    PredictionsError,
    ReviewsError,
    SettingsError,
)
from finding_nemo.exporting.export_frame import ExportFrame
from finding_nemo.exporting.export_kinds import EXPORT_KINDS
from finding_nemo.exporting.positions.frame_positions import read_position_sources
from finding_nemo.exporting.read_export_frames import (
    FrameCounts,
    FrameSelection,
    PredictionRows,
    export_frames,
)
from finding_nemo.exporting.write_export import ExportRequest, parse_words, write_export

_CRAB, _SLUG = "Chionoecetes tanneri", "Aeolidiidae sp. 1"


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    rows = [
        row("a"),
        row("b", _SLUG, confidence="likely"),
        row("c", "Gastropod", answer_level="supercategory", present=[7]),
        {"image_id": "d", "path": "/data/frames/d.png", "failure": "is empty (0 bytes)"},
        row("e", confidence="guess"),
    ]
    return write_predictions(tmp_path / "dive.parquet", rows)


def frames_of(path: Path, **options: Any) -> tuple[list[ExportFrame], FrameCounts]:
    counts = FrameCounts()
    selection = FrameSelection(**options)
    return list(export_frames(PredictionRows(path), selection, counts)), counts


def names(frame: ExportFrame) -> list[str]:
    return [label.name for label in frame.labels]


def coco(predictions: Path, out: Path, **options: Any) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the names in each frame of a COCO file, and what was said."""
    request = ExportRequest(kind="coco", **options)
    summary = write_export(predictions, out, request)
    content = json.loads(out.read_text())
    known = {each["id"]: each["name"] for each in content["categories"]}
    found: list[list[str]] = [[] for _ in content["images"]]
    for label in content["image_labels"]:
        found[label["image_id"] - 1].append(known[label["category_id"]])
    return found, summary.notices


def test_sure_answers__are_labels_and_the_rest_is_counted(predictions: Path) -> None:
    frames, counts = frames_of(predictions)
    assert [names(frame) for frame in frames] == [[_CRAB], [], ["Gastropod"], []]
    assert [frame.file_name for frame in frames] == ["a.png", "b.png", "c.png", "e.png"]
    assert frames[2].labels[0].is_group
    assert frames[0].labels[0].category_id == 3
    assert (counts.n_rows, counts.n_failed, counts.n_not_sure) == (5, 1, 2)
    assert counts.n_without == {"time": 4, "position": 4, "depth": 4, "dive": 4}


def test_words_and_also_named__widen_what_is_handed_on(predictions: Path) -> None:
    frames, _ = frames_of(predictions, words=parse_words("sure, likely"), also_named=True)
    assert [names(frame) for frame in frames] == [[_CRAB], [_SLUG], ["Gastropod", _SLUG], []]
    assert frames[2].labels[1].probability == pytest.approx(0.5)
    for text in ("certain", "", "sure,certain"):
        with pytest.raises(SettingsError, match="--words"):
            parse_words(text)


def test_reviews__a_person_and_the_machine_apart(predictions: Path, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.csv"
    reviews.write_text(
        "id,categories,complete,rejected,reviewer\n"
        f"a,{_CRAB};New worm,yes,,Ada\n"
        f"b,,no,{_SLUG},Ada\n"
        "c,7,yes,,Ada\n"
        "e,,yes,,Ada\n"
        "z,7,yes,,Ada\n"
    )
    found, notices = coco(
        predictions,
        tmp_path / "out.json",
        reviews=reviews,
        words=parse_words("sure,likely,guess"),
    )
    # The group of what a person saw is not wrong; what they looked for in vain is.
    assert found == [[_CRAB, "New worm"], [], [_SLUG, "Gastropod"], []]
    assert "2 answers were contradicted by a person and are left out." in notices
    assert "1 reviewed frames are not among those handed on; they are left out." in notices
    reviews.write_text("id,categories\na,12345\n")
    with pytest.raises(ReviewsError, match="line 2: category id 12345"):
        coco(predictions, tmp_path / "other.json", reviews=reviews)


def test_reviews__may_name_groups(predictions: Path, tmp_path: Path) -> None:
    reviews = tmp_path / "reviews.csv"
    reviews.write_text("id,categories,complete,rejected\na,gastropod,yes,\nc,,no,Gastropod\n")
    found, notices = coco(predictions, tmp_path / "out.json", reviews=reviews)
    assert found == [["Gastropod"], [], [], []]
    assert not any("new category" in notice for notice in notices)
    content = json.loads((tmp_path / "out.json").read_text())
    assert [each["name"] for each in content["categories"]].count("Gastropod") == 1


def test_adapted_rows__are_a_persons_where_one_looked(tmp_path: Path) -> None:
    rows = [
        row("a", method="reviewed", present=[3, 7]),
        {**row("b", method="reviewed", present=[]), "answer": ""},
        row("c", method="adapted"),
    ]
    frames, counts = frames_of(write_predictions(tmp_path / "p.parquet", rows))
    assert [names(frame) for frame in frames] == [[_CRAB, _SLUG], [], [_CRAB]]
    assert [label.means for label in frames[0].labels] == ["person", "person"]
    assert frames[0].labels[0].probability is None
    assert (frames[2].labels[0].means, frames[2].labels[0].method) == ("machine", "adapted")
    assert counts.n_reviewed == 2


def test_navigation__places_frames_and_counts_the_rest(tmp_path: Path) -> None:
    rows = [
        row("a", captured=datetime(2020, 1, 1, 12, 0, 5)),
        row("b", captured=datetime(2020, 1, 1)),  # a day without a time joins nothing
        row("c", captured=datetime(2020, 1, 1, 14)),
    ]
    path = write_predictions(tmp_path / "p.parquet", rows)
    track = tmp_path / "nav.csv"
    track.write_text(
        "time,lat,lon,depth\n2020-01-01T12:00:00Z,1,2,10\n2020-01-01T12:00:10Z,1,2,20\n"
    )
    sources = read_position_sources([track], images=tmp_path)
    frames, counts = frames_of(path, positions=sources)
    assert [frame.position.depth_m for frame in frames] == [15, None, None]
    assert frames[1].event_date == "2020-01-01"
    assert counts.n_without == {"time of day": 1, "position": 2, "depth": 2, "dive": 3}
    assert sources.counts == {"nav.csv": 1, "nothing": 2}
    late = read_position_sources([track], clock_offset_s=-7195.0)
    frames, _ = frames_of(path, positions=late)
    assert [frame.position.depth_m for frame in frames] == [None, None, 15]


def test_fetched_list__is_read_by_itself(tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.parquet", [row("a")])
    (tmp_path / "fetched.csv").write_text(
        "file,image_id,url,depth_m,latitude,longitude\na.png,a,,812.5,36,-122\n"
    )
    frames, _ = frames_of(path, positions=read_position_sources([], images=tmp_path))
    assert frames[0].position.depth_m == 812.5
    assert frames[0].position.source == "fetched.csv"


def test_names_of_files__are_below_the_folder_that_all_share(tmp_path: Path) -> None:
    rows = [
        row("a", path="/data/x/one/a.png", dive="D1"),
        row("b", path="/data/x/two/a.png"),
        row("v", path="/data/x/two/v.mp4", time_s=1.5),
    ]
    frames, _ = frames_of(write_predictions(tmp_path / "p.parquet", rows))
    wanted = ["one/a.png", "two/a.png", "two/v.mp4#t=1.500"]
    assert [frame.file_name for frame in frames] == wanted
    assert [frame.dive for frame in frames] == ["D1", "", ""]
    by_path, _ = frames_of(tmp_path / "p.parquet", dive_pattern=r"/(?P<dive>\w+)/[^/]+$")
    assert [frame.dive for frame in by_path] == ["one", "two", "two"]


def test_folder_or_zip__and_nothing_is_replaced(predictions: Path, tmp_path: Path) -> None:
    request = ExportRequest(kind="darwin-core")
    write_export(predictions, tmp_path / "out", request)
    write_export(predictions, tmp_path / "out.zip", request)
    held = {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."}
    assert set(zipfile.ZipFile(tmp_path / "out.zip").namelist()) == held
    assert held >= {"meta.xml", "eml.xml", "event.txt", "occurrence.txt"}
    with pytest.raises(OutputExistsError):
        write_export(predictions, tmp_path / "out", request)


def test_submission__holds_failed_images_too(predictions: Path, tmp_path: Path) -> None:
    summary = write_export(predictions, tmp_path / "s.csv", ExportRequest(kind="submission"))
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert len(lines) == 6
    assert lines[4] == "d,3 7 9,0.5"
    assert summary.counts.n_failed == 1
    assert summary.in_words() == (
        "5 rows of 3 names each; 1 for images that could not be read, with the names that training "
        "saw most"
    )


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("coco", "out.csv", "end 'out.csv' in that"),
        ("darwin-core", "out.json", "is a folder of files"),
        ("dwca", "out", "Unknown kind 'dwca'"),
    ],
)
def test_wrong_names__are_refused(
    predictions: Path, tmp_path: Path, kind: str, name: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        write_export(predictions, tmp_path / name, ExportRequest(kind=kind))


def test_predictions__that_cannot_be_used(tmp_path: Path, predictions: Path) -> None:
    request = ExportRequest(kind="coco")
    with pytest.raises(PredictionsError, match="does not exist"):
        write_export(tmp_path / "none.parquet", tmp_path / "o.json", request)
    other = tmp_path / "p.csv"
    other.write_text("id\n")
    with pytest.raises(PredictionsError, match="convert reads Parquet"):
        write_export(other, tmp_path / "o.json", request)
    nameless = write_predictions(tmp_path / "n.parquet", [row("a")], categories=())
    with pytest.raises(PredictionsError, match="table of its categories"):
        write_export(nameless, tmp_path / "o.json", request)
    twice = write_predictions(tmp_path / "t.parquet", [row("a"), row("a")])
    with pytest.raises(PredictionsError, match="names an image twice"):
        write_export(twice, tmp_path / "o.json", request)
    assert not (tmp_path / "o.json").exists()


def test_about__says_what_no_prediction_knows(predictions: Path, tmp_path: Path) -> None:
    about = tmp_path / "about.toml"
    about.write_text('image_address = "https://x.example/"\n')
    out = tmp_path / "o.json"
    write_export(predictions, out, ExportRequest(kind="coco", about=about))
    assert json.loads(out.read_text())["images"][0]["coco_url"] == "https://x.example/a.png"
    for text, words in (("licence = 1", "'licence'"), ("title = 1", "in quotes"), ("=", "no TOML")):
        about.write_text(text)
        with pytest.raises(SettingsError, match=words):
            write_export(predictions, tmp_path / "p.json", ExportRequest(kind="coco", about=about))


@pytest.mark.parametrize("kind", ["darwin-core", "coco", "label-studio", "cvat", "submission"])
def test_damaged_rows__leave_nothing_behind(tmp_path: Path, kind: str) -> None:
    path = write_predictions(tmp_path / "p.parquet", [row("a")], content_sha256="0" * 64)
    out = tmp_path / f"out{EXPORT_KINDS[kind].suffix}"
    with pytest.raises(PredictionsError, match="rows are not those that were written"):
        write_export(path, out, ExportRequest(kind=kind))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["p.parquet"]
    write_export(path, out, ExportRequest(kind=kind, verify=False))
    assert out.exists()


def test_tables_by_file__know_files_by_any_part_of_their_paths(tmp_path: Path) -> None:
    rows = [
        row("a", path="/data/x/one/a.png"),
        row("b", path="/data/x/two/a.png"),
        row("c", path="/data/x/two/c.png"),
    ]
    path = write_predictions(tmp_path / "p.parquet", rows)
    table = tmp_path / "depths.csv"
    table.write_text("file,depth_m\nx/one/a.png,1\na.png,2\nc.png,3\n")
    frames, _ = frames_of(path, positions=read_position_sources([table]))
    # Two folders hold an a.png, so the bare name says nothing of either.
    assert [frame.position.depth_m for frame in frames] == [1, None, 3]


def test_images_folder__is_the_root_of_names(tmp_path: Path) -> None:
    path = write_predictions(tmp_path / "p.parquet", [row("a", path="/data/x/one/a.png")])
    for images, wanted in (("/data/x", "one/a.png"), ("/other", "a.png")):
        rows = PredictionRows(path, images=Path(images))
        (frame,) = export_frames(rows, FrameSelection(), FrameCounts())
        assert frame.file_name == wanted
