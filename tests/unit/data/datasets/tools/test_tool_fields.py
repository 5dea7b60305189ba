"""Single values: what cannot be is left out and counted, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.errors import AnnotationError
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.datasets.tools.annotated_frame import FramePlace
from finding_nemo.data.datasets.tools.tool_fields import (
    at_place,
    depth_of_altitude,
    finite,
    finite_numbers,
    label_name,
    optional_text,
    place_of,
    size_px,
)


def test_places__that_cannot_be_are_left_out_and_counted() -> None:
    notes = Notes()
    assert place_of("900.5", 36.5, -122.25, notes) == FramePlace(
        depth_m=900.5, latitude=36.5, longitude=-122.25
    )
    assert place_of(None, None, None, notes) == FramePlace()
    assert notes.sentences() == ()
    assert place_of(-3, 91, 200, notes) == FramePlace()
    assert place_of(float("nan"), 10, None, notes) == FramePlace()
    assert len(notes.sentences()) == 4
    assert notes.sentences()[0].startswith("1 latitudes are outside -90 to 90")


def test_altitudes__are_depths_turned_round() -> None:
    assert depth_of_altitude(-900.5) == 900.5
    assert str(depth_of_altitude(0)) == "0.0"
    assert depth_of_altitude("deep") == "deep"


def test_numbers__are_finite_and_not_huge() -> None:
    assert [finite(value) for value in (1, "2.5", 0.5)] == [1.0, 2.5, 0.5]
    values: tuple[object, ...] = (True, None, "x", float("inf"), 10**400, "1e400", [], 2**40)
    for value in values:
        assert finite(value) is None
        assert finite_numbers([1, value]) is None
    assert finite_numbers([1, "2.5"]) == [1.0, 2.5]
    assert finite_numbers([]) == []


def test_sizes__of_zero_are_not_known() -> None:
    notes = Notes()
    assert [size_px(value, notes) for value in (64, "48", 0, "0", None, "")] == [
        *(64, 48, None, None, None, None)
    ]
    assert notes.sentences() == ()
    assert [size_px(value, notes) for value in (-1, 1.5, "x")] == [None, None, None]
    assert notes.sentences()[0].startswith("3 widths or heights")


def test_names__must_be_texts() -> None:
    assert label_name(" Crab ", "concept") == "Crab"
    assert optional_text(" nan ") is None
    assert optional_text(12) == "12"
    for value in ("", "  ", None, 7, "\ud800", "x" * 6000):
        with pytest.raises(AnnotationError):
            label_name(value, "concept")


def test_faults__get_their_place() -> None:
    with (
        pytest.raises(AnnotationError, match=r"^f\.json, task 3: it is odd\.$"),
        at_place(Path("f.json"), "task 3"),
    ):
        raise AnnotationError("it is odd")
