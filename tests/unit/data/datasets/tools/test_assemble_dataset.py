"""Names into numbers, people's labels into truth, whatever tool the file is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box, Dataset
from finding_nemo.data.datasets.tools.annotated_frame import (
    AnnotatedFrame,
    FrameLabel,
    FramePlace,
    Sides,
)
from finding_nemo.data.datasets.tools.assemble_dataset import ToolFile, assemble_dataset


def frame(name: str, *labels: FrameLabel, **more: object) -> AnnotatedFrame:
    values: dict[str, object] = {"where": name, "file_names": (name,), "labels": labels, **more}
    return AnnotatedFrame(**values)  # type: ignore[arg-type]


def read(folder: Path, *frames: AnnotatedFrame, declared: tuple[str, ...] = ()) -> Dataset:
    source = ToolFile(
        path=folder / "x.json", images=None, pattern=None, declared=dict.fromkeys(declared, "")
    )
    return assemble_dataset(frames, source)


CRAB = FrameLabel(name="Crab", sides=Sides(1, 2, 3, 4), supercategory="Arthropod")
FISH = FrameLabel(name="Fish")
BY_MACHINE = FrameLabel(name="Squid", by_machine=True)


def test_names__are_numbered_in_alphabetical_order(tmp_path: Path) -> None:
    place = FramePlace(depth_m=9.0, latitude=1.0, longitude=2.0)
    found = read(
        tmp_path,
        frame("b.png", FISH, dive="D1", vehicle="V", place=place, captured="2015-05-01T10:00:00Z"),
        frame("a.png", CRAB, CRAB, FISH),
    )
    table = found.categories
    assert (table.ids, table.names) == ((1, 2), ("Crab", "Fish"))
    assert table.supercategories == ("Arthropod", "none")
    first, second = found.records
    assert (first.image_id, first.category_ids, first.dive) == ("b", (2,), "D1")
    assert (first.vehicle, first.depth_m, first.latitude, first.longitude) == ("V", 9.0, 1.0, 2.0)
    assert first.captured is not None
    assert first.captured.isoformat() == "2015-05-01T10:00:00"
    assert second.category_ids == (1, 2)
    assert second.boxes == (Box(1, 1, 2, 3, 4), Box(1, 1, 2, 3, 4))
    assert found.notices == ()


def test_labels_of_a_machine__are_no_truth_and_it_is_said(tmp_path: Path) -> None:
    confirmed = FrameLabel(name="Crab", by_machine=True)
    found = read(tmp_path, frame("a.png", CRAB, BY_MACHINE, confirmed), frame("b.png", BY_MACHINE))
    assert found.categories.names == ("Crab",)
    assert [record.category_ids for record in found.records] == [(1,), None]
    assert found.notices[0].startswith("2 labels are a machine's that no person confirmed")
    assert "(first: 'Squid')" in found.notices[0]
    assert found.notices[1].startswith("1 images have no label of a person")


def test_images__that_nobody_labelled_are_not_annotated_but_viewed_ones_are_empty(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, frame("a.png"), frame("b.png", is_viewed=True), frame("c.png", CRAB))
    assert [record.category_ids for record in found.records] == [None, (), (1,)]


def test_names__without_any_person_are_those_that_are_listed_then_the_machines(
    tmp_path: Path,
) -> None:
    listed = read(tmp_path, frame("a.png", BY_MACHINE), declared=("Eel",))
    assert listed.categories.names == ("Eel",)
    assert read(tmp_path, frame("a.png", BY_MACHINE)).categories.names == ("Squid",)
    with pytest.raises(AnnotationError, match="names no category"):
        read(tmp_path, frame("a.png"))
    unused = read(tmp_path, frame("a.png", CRAB), declared=("Eel", "Crab"))
    assert unused.categories.names == ("Crab",)
    assert unused.notices == (
        "1 names are listed that no person gave; they are no categories (first: 'Eel').",
    )


def test_category_key__gives_ids_and_keeps_other_names(tmp_path: Path) -> None:
    key = tmp_path / "category_key.csv"
    key.write_text("id,name,supercat\n9,Fish,Chordata\n4,Eel,Chordata\n")
    found = read(tmp_path, frame("a.png", CRAB, FISH))
    assert (found.categories.ids, found.categories.names) == ((9, 4, 10), ("Fish", "Eel", "Crab"))
    assert found.records[0].category_ids == (9, 10)
    assert "1 names are not in category_key.csv" in found.notices[0]
    key.write_text("id,name,supercat\n9,Fish,x\n4,Fish,x\n")
    with pytest.raises(AnnotationError, match="'Fish' is the name of 2 categories"):
        read(tmp_path, frame("a.png", FISH))
    key.write_text("id,name,supercat\n2147483647,Fish,x\n")
    with pytest.raises(AnnotationError, match="leaves no number"):
        read(tmp_path, frame("a.png", CRAB))


def test_images__that_are_there_twice_are_joined(tmp_path: Path) -> None:
    found = read(tmp_path, frame("a.png", CRAB), frame("a.png", FISH))
    assert [record.category_ids for record in found.records] == [(1, 2)]
    assert found.notices[0].startswith("1 images are there several times")


def test_files__are_found_by_the_longest_of_their_names_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "images/D1").mkdir(parents=True)
    (tmp_path / "images/D1/a.png").touch()
    names = ("x/D1/a.png", "D1/a.png", "a.png")
    found = read(tmp_path, frame("a", CRAB, file_names=names))
    assert found.records[0].path == tmp_path / "images/D1/a.png"
    (tmp_path / "images/D1/a.png").unlink()
    assert read(tmp_path, frame("a", CRAB, file_names=names)).records[0].path.name == "a.png"


@pytest.mark.parametrize("name", ["../x.png", "/etc/passwd", "", "a\0b", "C:\\x.png"])
def test_file_names__that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AnnotationError, match=r"x\.json, "):
        read(tmp_path, frame(name, CRAB))
