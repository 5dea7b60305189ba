"""What a session leaves: a table that `adapt` reads, COCO that we read, and adapted predictions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from finding_nemo import read_dataset
from finding_nemo.adaptation.files.review_state import read_review_state
from finding_nemo.adaptation.files.reviews import read_reviews
from finding_nemo.core.errors import ReviewsError
from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.reviewing.review_exports import (
    reviews_as_coco,
    reviews_table,
    write_adapted_predictions,
)
from finding_nemo.reviewing.review_session import ReviewSession

ODD = ('=HYPERLINK("x")', "a, b; c | d", 'O\'Brien "quoted"', "Schön\N{SNOWMAN}", "-5 arms")


@pytest.fixture
def session(reviewable: Path, tmp_path: Path) -> Iterator[ReviewSession]:
    found = open_review_session(
        reviewable / "fold0.parquet", store=tmp_path / "x.sqlite", reviewer="=anna, the first"
    )
    yield found
    found.close()


def test_table__has_ids_where_the_predictions_have_all_and_names_else(
    session: ReviewSession,
) -> None:
    session.review(2, [3, 1])
    session.review(5, [1, "new"], rejected=[2], is_complete=False, reviewer="ben")
    session.review(7, [], reviewer="")
    lines = reviews_table(session).splitlines()
    times = [review.time for review in session.reviews()]
    path = session.collection.columns.paths[2]
    assert lines == [
        "id,categories,complete,reviewer,time,rejected,names,image,dive",
        f'd0-clip0_002,3 1,yes,"\'=anna, the first",{times[0]},,"[""squid"", ""crab""]",'
        f"{path},ROV 0000",
        f'd0-clip0_005,"[""crab"", ""new""]",no,ben,{times[1]},2,"[""crab"", ""new""]",'
        f"{path.replace('002', '005')},ROV 0000",
        f"d0-clip0_007,,yes,,{times[2]},,[],{path.replace('002', '007')},ROV 0000",
    ]


def test_table__is_read_back_with_every_odd_name(session: ReviewSession, tmp_path: Path) -> None:
    for row, name in enumerate(ODD):
        session.review(row, [name, 1], rejected=["never"], is_complete=False)
    path = tmp_path / "reviews.csv"
    path.write_text(reviews_table(session), encoding="utf-8", newline="")
    found = read_reviews(path).rows
    assert [review.cell.parts for review in found] == [(name, "crab") for name in ODD]
    assert {review.rejected.parts for review in found} == {("never",)}
    assert {review.reviewer for review in found} == {"=anna, the first"}
    state = read_review_state(session.collection.as_file(tmp_path), reviews=path)
    assert state.reviewed.new_names == tuple(
        c["name"] for c in session.categories if c["category_id"] > 3
    )


def test_adapted_predictions__need_a_review(session: ReviewSession, tmp_path: Path) -> None:
    with pytest.raises(ReviewsError, match="Nobody has reviewed"):
        write_adapted_predictions(session, tmp_path)


def test_coco__holds_complete_reviews_with_the_frame_as_box(
    session: ReviewSession, tmp_path: Path
) -> None:
    session.review(2, [3, "new"])
    session.review(7, [])
    session.review(8, [1], is_complete=False)
    found = reviews_as_coco(session)
    assert "left out (1)" in found["info"]["description"]
    assert [image["file_name"] for image in found["images"]] == [
        "d0-clip0_002.png",
        "d0-clip0_007.png",
    ]
    assert [(a["image_id"], a["category_id"], a["bbox"]) for a in found["annotations"]] == [
        (1, 3, [0, 0, 64, 48]),
        (1, 4, [0, 0, 64, 48]),
    ]
    images = tmp_path / "images"
    images.mkdir()
    for image in found["images"]:
        Image.new("RGB", (64, 48)).save(images / image["file_name"])
    (tmp_path / "coco.json").write_text(json.dumps(found))
    dataset = read_dataset(tmp_path / "coco.json", images=images)
    assert dataset.categories.names == ("crab", "fish", "squid", "new")
    assert [record.category_ids for record in dataset.records] == [(3, 4), ()]
