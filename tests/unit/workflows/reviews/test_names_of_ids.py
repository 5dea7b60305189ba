"""Ids of a file of reviews, read by what the file calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.adaptation.files.reviews import read_reviews
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import ReviewsError
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.workflows.reviews.names_of_ids import in_terms_of, names_of_ids

TABLE = CategoryTable((Category(1, "crab", "none"), Category(3, "eel", "none")))


def write(folder: Path, *lines: str) -> Path:
    path = folder / "r.csv"
    path.write_text("id,categories,rejected,names\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_names_of_ids__by_hand(tmp_path: Path) -> None:
    assert names_of_ids(write(tmp_path, "a,1 3,,crab; squid", "b,,,", "c,1,,crab")) == {
        1: "crab",
        3: "squid",
    }
    assert names_of_ids(write(tmp_path, "a,1 3,,crab; crab")) == {}
    assert names_of_ids(write(tmp_path, "a,1 3,,crab")) == {}


def test_reviews__of_the_same_names_stay_as_they_are(tmp_path: Path) -> None:
    reviews = read_reviews(write(tmp_path, "a,1 3,,Crab; eel", "b,1,,"))
    assert in_terms_of(reviews, TABLE, Notes()) is reviews


def test_reviews__of_other_names_are_read_by_name(tmp_path: Path) -> None:
    notes = Notes()
    reviews = read_reviews(write(tmp_path, "a,3 1,,squid; crab", "b,1,,crab", "c,9,,whale"))
    found = in_terms_of(reviews, TABLE, notes)
    assert [review.cell.parts for review in found.rows] == [
        ("squid", "crab"),
        ("1",),
        ("whale",),
    ]
    assert "2 reviews have ids that the data set knows by other names" in notes.sentences()[0]


def test_rejected__of_another_name_is_refused(tmp_path: Path) -> None:
    reviews = read_reviews(write(tmp_path, "a,3,,squid", "b,1,3,crab"))
    with pytest.raises(ReviewsError, match=r"line 3: the column rejected has the id 3"):
        in_terms_of(reviews, TABLE, Notes())
