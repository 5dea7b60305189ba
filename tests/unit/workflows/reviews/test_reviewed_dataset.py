"""A data set with reviews: labels by hand, frames added, what is left out is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import DatasetNotFoundError, ReviewsError
from finding_nemo.core.records import Box, Dataset, ImageRecord
from finding_nemo.workflows.reviews.reviewed_dataset import (
    add_reviews,
    new_labels,
    relabelled,
    with_new_names,
)

_HEAD = "id,categories,complete,reviewer,time,image,dive\n"


@pytest.fixture
def frames(tiny_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    (folder / "sub").mkdir(parents=True)
    for number in range(3):
        shutil.copy(tiny_folder / f"images/train/f{number}.png", folder / f"sub/new{number}.png")
    return folder


def write(folder: Path, *lines: str) -> Path:
    path = folder / "reviews.csv"
    path.write_text(_HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_labels__by_hand(dataset: Dataset) -> None:
    # Columns are ids 2, 5, 6, 9.
    table = dataset.categories
    record = ImageRecord("a", Path("a.png"), (2, 5))
    everything, nothing = np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.bool_)
    six = np.array([False, False, True, False])
    assert new_labels(record, six, everything, table) == (6,)
    assert new_labels(None, six, everything, table) == (6,)
    assert new_labels(None, nothing, everything, table) == ()
    # Not complete: what was seen comes, what was rejected (5) goes, the rest stays.
    assert new_labels(record, six, six, table) == (2, 5, 6)
    assert new_labels(record, six, six | (np.arange(4) == 1), table) == (2, 6)
    assert new_labels(None, six, six, table) is None
    assert new_labels(ImageRecord("a", Path("a.png"), None), six, six, table) is None


def test_relabelled__keeps_the_boxes_of_what_is_there() -> None:
    boxes = (Box(2, 0, 0, 4, 4), Box(5, 1, 1, 4, 4), Box(2, 6, 6, 3, 3))
    record = ImageRecord("a", Path("a.png"), (2, 5), boxes=boxes)
    changed = relabelled(record, (2, 9))
    assert changed.category_ids == (2, 9)
    assert changed.boxes == (boxes[0], boxes[2])


def test_new_names__get_ids_behind_the_others(dataset: Dataset) -> None:
    table = with_new_names(dataset.categories, ("squid", "$kelp"))
    assert table.ids == (2, 5, 6, 9, 10, 11)
    assert table.names[-2:] == ("squid", "$kelp")


def test_reviews__relabel_and_add_frames(dataset: Dataset, frames: Path) -> None:
    path = write(
        frames,
        "f0,animal 9,yes,anna,,,",
        "f1,squid,no,anna,,,",
        "n0,animal 5; squid,yes,anna,,sub/new0.png,Tiny 0003",
        "n1,,yes,anna,,/somewhere/else/sub/new1.png,Abyss 1",
        "new2,animal 2,no,anna,,,Abyss 1",
        "lost,animal 2,yes,anna,,sub/lost.png,Abyss 1",
    )
    found = add_reviews(dataset, path, images=frames / "sub")
    assert found.categories.names[-1] == "squid"
    assert len(found.records) == len(dataset.records) + 2
    by_id = found.by_id
    assert by_id["f0"].category_ids == (9,)
    assert all(box.category_id == 9 for box in by_id["f0"].boxes)
    before = dataset.by_id["f1"].category_ids or ()
    assert by_id["f1"].category_ids == (*before, 10)
    # A path is looked for by its last part in the named folder, and never outside of it.
    assert (by_id["n0"].category_ids, by_id["n0"].dive) == ((5, 10), dataset.by_id["f15"].dive)
    assert by_id["n0"].path == frames / "sub/new0.png"
    assert (by_id["n1"].category_ids, by_id["n1"].path) == ((), frames / "sub/new1.png")
    # Everything else is as it was.
    assert [r for r in found.records if r.image_id not in {"f0", "f1", "n0", "n1"}] == [
        r for r in dataset.records if r.image_id not in {"f0", "f1"}
    ]
    said = " ".join(found.notices)
    assert "2 frames of the data set are labelled anew, and 2 reviewed frames are added" in said
    assert "1 reviews are not complete, of frames that no data set labels" in said
    assert "1 reviewed frames are not found and left out" in said
    assert "each is a new category" in said
    assert found.source is not None
    assert (found.source.reviews, found.source.review_images) == (path, frames / "sub")


def test_frames__are_found_by_what_is_below_the_folder_that_is_named(frames: Path) -> None:
    (frames / "a").mkdir()
    shutil.copy(frames / "sub/new1.png", frames / "a/new0.png")
    path = write(
        frames,
        "new0,crab,yes,,,frames/sub/new0.png,A",  # named from beside the folder
        "other,crab,yes,,,frames/a/new0.png,A",  # the same name in another folder
        "new1,crab,yes,,,old/place/new1.png,B",  # moved into a folder of the folder
        "both,crab,yes,,,old/place/new0.png,B",  # two files could be it
    )
    found = add_reviews(None, path, images=frames)
    assert [str(record.path.relative_to(frames)) for record in found.records] == [
        "sub/new0.png",
        "a/new0.png",
        "sub/new1.png",
    ]
    said = " ".join(found.notices)
    assert f"1 reviewed frames are not found and left out; looked for in {frames}" in said


def test_reviews_alone__are_a_data_set(frames: Path) -> None:
    path = write(
        frames,
        "new0,squid; crab,yes,,,sub/new0.png,A",
        "new1,crab,yes,,,sub\\new1.png,B",
        "new2,,yes,,,sub/new2.png,",
    )
    found = add_reviews(None, path)
    assert found.categories.names == ("crab", "squid")
    assert [record.category_ids for record in found.records] == [(1, 2), (1,), ()]
    assert all(record.path.is_file() for record in found.records)
    assert "1 reviewed frames say no dive" in " ".join(found.notices)


def test_reviews__that_cannot_be_used_are_refused(dataset: Dataset, frames: Path) -> None:
    with pytest.raises(ReviewsError, match=r"No review of .* could be used: 1 reviewed frames"):
        add_reviews(dataset, write(frames, "lost,animal 2,yes,,,../../lost.png,"))
    with pytest.raises(ReviewsError, match="names no category"):
        add_reviews(None, write(frames, "new0,,yes,,,sub/new0.png,A"))
    with pytest.raises(DatasetNotFoundError, match="folder of reviewed frames"):
        add_reviews(dataset, write(frames, "f0,animal 9,yes,,,,"), images=frames / "nowhere")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ('"[""squid"", ""crab, red""]"', ("crab, red", "squid")),
        ('"[""squid"", ""squid""]"', ("category 1", "category 3")),
        ("squid", ("category 1", "category 3")),
    ],
)
def test_reviews_alone__take_the_names_that_stand_beside_ids(
    frames: Path, names: str, expected: tuple[str, ...]
) -> None:
    path = frames / "r.csv"
    path.write_text(f"id,categories,names,image\nnew0,3 1,{names},sub/new0.png\n")
    assert add_reviews(None, path).categories.names == expected
