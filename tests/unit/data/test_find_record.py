"""Frames of a data set found by their file, their name, their id; never a wrong one in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.records import ImageRecord
from finding_nemo.data.find_record import RecordFinder

_RECORDS = (
    ImageRecord("one", Path("data/dive1/a.png"), (1,)),
    ImageRecord("two", Path("data/dive2/a.png"), (2,)),
    ImageRecord("three", Path("data/dive2/b.png"), (2,)),
    ImageRecord("b", Path("data/dive2/c.png"), (3,)),
    ImageRecord("five", Path("data/dive2/unseen.png"), None),
)


@pytest.mark.parametrize(
    ("path", "image_id", "found", "is_by_name"),
    [
        ("data/dive2/../dive1/a.png", "x", ["one"], False),
        ("elsewhere/a.png", "x", ["one", "two"], True),
        ("elsewhere/b.png", "b", ["three"], True),  # the name of a file before an id
        ("elsewhere/d.png", "b", ["b"], True),
        ("elsewhere/d.png", "d", [], True),
        ("data/dive2/unseen.png", "five", ["five"], False),  # known, without labels
        ("elsewhere/unseen.png", "five", [], True),
        ("https://host/x/b.png?size=full#a", "x", ["three"], True),
        ("tar://x/b.png::/archive/a.png", "x", ["three"], True),
        ("s3://bucket/b.png", "x", ["three"], True),
    ],
)
def test_find(path: str, image_id: str, found: list[str], is_by_name: bool) -> None:
    records = RecordFinder(_RECORDS).find(path, image_id)
    assert [record.image_id for record in records.records] == found
    assert records.is_by_name is is_by_name


def test_find__takes_the_record_with_labels_where_two_have_one_file() -> None:
    path = Path("data/a.png")
    records = (ImageRecord("with", path, (1,)), ImageRecord("without", path, None))
    for order in (records, records[::-1]):
        (found,) = RecordFinder(order).find("data/a.png", "x").records
        assert found.image_id == "with"


def test_find__nothing_in_nothing() -> None:
    assert RecordFinder(()).find("a.png", "a").records == ()
