"""Names and ids of a session: known, new, ambiguous, and what no name may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.errors import ReviewsError
from finding_nemo.data.datasets.fields.label_cells import take_apart
from finding_nemo.reviewing.review_categories import ReviewCategories, as_list
from finding_nemo.reviewing.review_store import NamedCategory, NewReview

ENTRIES = [
    {"category_id": 3, "name": "crab", "supercategory": "a"},
    {"category_id": 5, "name": "Crab", "supercategory": "a"},
    {"category_id": 9, "name": "squid", "supercategory": "b"},
    {"category_id": 10, "name": "twin", "supercategory": "b"},
    {"category_id": 11, "name": "twin", "supercategory": "c"},
]


def categories(*statement: NewReview) -> ReviewCategories:
    return ReviewCategories(ENTRIES, statement)


def test_names__are_taken_exactly_then_without_regard_to_case() -> None:
    found = categories().resolve([9, "crab", "Crab", " SQUID "])
    assert [c.category_id for c in found] == [9, 3, 5, 9]


def test_new_names__get_the_next_ids_and_one_id_in_any_case() -> None:
    names = categories()
    found = names.resolve(["Aeolidia", "aeolidia", "other"])
    assert [(c.category_id, c.name) for c in found] == [
        (12, "Aeolidia"),
        (12, "Aeolidia"),
        (13, "other"),
    ]
    assert names.resolve(["other"])[0].category_id == 12  # nothing was kept yet
    assert names.register(found[:1]) == found[:1]
    assert names.resolve(["AEOLIDIA", 12]) == [NamedCategory(12, "Aeolidia")] * 2
    assert names.resolve(["other"])[0].category_id == 13


def test_new_names__are_one_however_they_are_typed() -> None:
    """Blanks and the form of an accent are nothing that anybody sees."""
    names = categories()
    typed = ["Crangonid\u00e9 sp", "crangonide\u0301  sp", " Crangonid\u00e9 SP"]
    found = names.resolve(typed)
    assert {(c.category_id, c.name) for c in found} == {(12, typed[0])}
    names.register(found)
    assert {c.category_id for c in names.resolve(typed)} == {12}


def test_table__has_the_new_names_of_the_reviews_that_count() -> None:
    first = NewReview(image_id="f", categories=(NamedCategory(12, "x"),))
    second = NewReview(image_id="g", categories=(), rejected=(NamedCategory(13, "y"),))
    names = categories(first, second)
    assert names.entries([]) == ENTRIES
    assert [entry["name"] for entry in names.entries([second])[5:]] == ["y"]
    # The id of a name whose review was taken back is not given to another one.
    assert names.resolve(["z"])[0].category_id == 14


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (4, "no category 4"),
        ("TWIN", "the name of 2 categories"),
        ("twin", "give the id of one of them: 10, 11"),
        ("  ", "needs a name"),
        ("12.0", "is a number"),
        ("x" * 201, "201 characters"),
        ("a\x1b[2J", "nobody sees"),
        ("nan", "cannot be the name"),
    ],
)
def test_faults(item: int | str, words: str) -> None:
    with pytest.raises(ReviewsError, match=words):
        categories().resolve([item])


def test_crab_in_capitals_is_ambiguous() -> None:
    with pytest.raises(ReviewsError, match="3, 5"):
        categories().resolve(["CRAB"])


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=4))
def test_every_name_that_is_taken_is_read_back_from_a_table(texts: list[str]) -> None:
    taken = []
    for text in texts:
        try:
            taken += [c.name for c in categories().resolve([text])]
        except ReviewsError:
            continue
    assert list(take_apart(as_list(taken)).parts) == taken
