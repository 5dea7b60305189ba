"""Reviews read: every form of the cells, faults with their line, what is passed over counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finding_nemo.adaptation.files.reviews import (
    ReviewedLabels,
    labels_of_reviews,
    read_reviews,
)
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import FindingNemoError, ReviewsError

_TABLE = CategoryTable(
    (Category(3, "crab", "a"), Category(5, "Fish, small", "b"), Category(9, "squid", "a"))
)
_IDS = ("f0", "f1", "f2")


def labels(tmp_path: Path, text: str) -> ReviewedLabels:
    path = tmp_path / "reviews.csv"
    path.write_text(text, encoding="utf-8")
    return labels_of_reviews(read_reviews(path), _IDS, _TABLE)


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(ReviewsError) as found:
        labels(tmp_path, text)
    return str(found.value)


@pytest.mark.parametrize(
    "cell", ["3 9", '"[3.0, 9.0]"', "crab;squid", "\"['crab', 'squid']\"", "CRAB|9", "squid;3"]
)
def test_cells__are_ids_or_names(tmp_path: Path, cell: str) -> None:
    found = labels(tmp_path, f"id,categories\nf1,{cell}\n")
    assert found.labels.rows.tolist() == [1]
    assert found.labels.present.tolist() == [[True, False, True]]
    assert found.labels.known.all()


def test_a_name_with_a_comma__is_one(tmp_path: Path) -> None:
    found = labels(tmp_path, 'id,categories\nf0,"fish, small"\n')
    assert found.labels.present.tolist() == [[False, True, False]]
    assert any("capitals" in notice for notice in found.notices)


def test_partial_reviews__say_nothing_of_what_they_do_not_name(tmp_path: Path) -> None:
    found = labels(tmp_path, "id,categories,complete\nf0,crab,no\nf1,,yes\nf2,,no\n")
    assert found.labels.known.tolist() == [[True, False, False], [True, True, True]]
    assert found.labels.present.tolist() == [[True, False, False], [False, False, False]]
    assert found.notices == (
        "1 reviews name nothing and are not complete; they say nothing (first: 'f2').",
    )


def test_new_names__become_columns_behind_the_table(tmp_path: Path) -> None:
    found = labels(
        tmp_path, "id,categories\nf0,Dumbo octopus;crab\nf1,dumbo OCTOPUS\nf2,whale fall\n"
    )
    assert found.new_names == ("Dumbo octopus", "whale fall")
    assert found.labels.present.tolist() == [
        [True, False, False, True, False],
        [False, False, False, True, False],
        [False, False, False, False, True],
    ]
    assert "2 names are not in the category table" in " ".join(found.notices)


def test_a_frame_reviewed_twice__counts_as_last_said(tmp_path: Path) -> None:
    found = labels(tmp_path, "id,categories,reviewer,time\nf0,crab,ann,2020\nf0,squid,bob,2021\n")
    assert found.labels.present.tolist() == [[False, False, True]]
    assert "the last line counts (first: 'f0')" in found.notices[0]


def test_unknown_frames__are_counted(tmp_path: Path) -> None:
    found = labels(tmp_path, "id,categories\nf0,crab\nzz,crab\nyy,crab\n")
    assert "2 reviewed frames are not among the predictions; passed over (first: 'zz')." in (
        found.notices
    )
    assert "None of the 1 frames" in fault(tmp_path, "id,categories\nzz,crab\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,what\nf0,crab\n", "column categories is missing"),
        ("id,categories\n,crab\n", "line 2: id must not be empty"),
        ("id,categories\nf0,crab\nf1,77\n", "line 3: category id 77 is not in the category table"),
        ("id,categories\nf0,'[1\n", "is not"),
        ("id,categories\nf0,\"['crab'\"\n", "line 2"),
        ("id,categories,complete\nf0,crab,maybe\n", "line 2: complete must be yes or no"),
        ("id,categories\nf0,crab,more\n", "line 2: 3 fields"),
        ("id,categories\n", "holds no review"),
        (f"id,categories\nf0,{'x' * 300}\n", "line 2: a name of 300 characters"),
    ],
)
def test_faults__name_their_line(tmp_path: Path, text: str, words: str) -> None:
    if words == "is not":  # an odd name is still a name
        assert labels(tmp_path, text).new_names
        return
    assert words in fault(tmp_path, text)


def test_a_name_of_two_categories__needs_an_id(tmp_path: Path) -> None:
    twice = CategoryTable((Category(1, "crab", "a"), Category(2, "crab", "b")))
    path = tmp_path / "reviews.csv"
    path.write_text("id,categories\nf0,crab\n")
    with pytest.raises(ReviewsError, match="line 2: 'crab' is the name of 2 categories"):
        labels_of_reviews(read_reviews(path), _IDS, twice)


def test_a_missing_file__is_said(tmp_path: Path) -> None:
    with pytest.raises(ReviewsError, match="does not exist"):
        read_reviews(tmp_path / "none.csv")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=80), st.sampled_from(["", "yes", "no", "x"]))
def test_any_text__is_read_or_refused(tmp_path: Path, cell: str, complete: str) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(f"id,categories,complete\nf0,{cell},{complete}\n".encode("utf-8", "replace"))
    try:
        found = labels_of_reviews(read_reviews(path), _IDS, _TABLE)
    except FindingNemoError:
        return
    n_columns = len(_TABLE) + len(found.new_names)
    assert found.labels.present.shape == (len(found.labels), n_columns)
    assert (found.labels.known | ~found.labels.present).all()


def test_rejected__is_known_to_be_absent(tmp_path: Path) -> None:
    found = labels(
        tmp_path, "id,categories,complete,rejected\nf0,crab,no,9\nf1,,no,squid;new\nf2,3,yes,9\n"
    )
    assert found.new_names == ("new",)
    assert found.labels.present.tolist() == [
        [True, False, False, False],
        [False] * 4,
        [True, False, False, False],
    ]
    assert found.labels.known.tolist() == [
        [True, False, True, False],
        [False, False, True, True],
        [True] * 4,
    ]


def test_rejected__and_there_is_a_fault_with_its_line(tmp_path: Path) -> None:
    text = "id,categories,rejected\nf0,crab,\nf1,9;crab,SQUID\n"
    words = fault(tmp_path, text)
    assert "line 3" in words
    assert "'squid' is said to be there and not to be there" in words
    assert "line 2" in fault(tmp_path, "id,categories,rejected\nf0,crab,99\n")
