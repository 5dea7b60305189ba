"""What is taken of FathomNet's answers: never the boxes."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import AddressError, FetchError
from finding_nemo.fetching.fathomnet.fathomnet_api import (
    API_VARIABLE,
    ImageFacts,
    api_address,
    facts_by_uuid,
    image_facts,
    read_answer,
    uuid_in,
)

UUID = "3b6f01ae-5bde-434d-9b06-79b269421ed6"
ENTRY: dict[str, Any] = {
    "id": 7,
    "uuid": UUID.upper(),
    "url": "https://database.fathomnet.org/static/Mini ROV/a.png",
    "sha256": "AB" * 32,
    "width": 1920,
    "height": 1080,
    "depthMeters": 812.5,
    "latitude": 36.7,
    "longitude": -122.0,
    "boundingBoxes": [{"concept": "Sebastes", "x": 1, "y": 2, "width": 3, "height": 4}],
    "tags": [{"key": "concept", "value": "Sebastes"}],
}


def test_facts__are_address_checksum_size_depth_and_position() -> None:
    found = image_facts(ENTRY)
    assert found == ImageFacts(
        uuid=UUID,
        url="https://database.fathomnet.org/static/Mini%20ROV/a.png",
        sha256="ab" * 32,
        width=1920,
        height=1080,
        depth_m=812.5,
        latitude=36.7,
        longitude=-122.0,
    )


def test_facts__never_hold_what_is_in_the_boxes() -> None:
    assert "Sebastes" not in repr(image_facts(ENTRY))
    assert {field.name for field in fields(ImageFacts)} == {
        *("uuid", "url", "sha256", "width", "height", "depth_m", "latitude", "longitude")
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"url": "file:///etc/passwd"}, {"url": ""}),
        ({"url": None, "sha256": "short"}, {"url": "", "sha256": ""}),
        ({"depthMeters": "812", "latitude": 91, "longitude": float("nan")}, {"depth_m": None}),
        ({"width": True, "height": 0}, {"width": None, "height": None}),
    ],
)
def test_facts__of_another_kind_count_as_not_said(
    change: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = image_facts(ENTRY | change)
    assert found is not None
    for name, value in expected.items():
        assert getattr(found, name) == value


def test_facts__need_a_uuid() -> None:
    assert image_facts({}) is None
    assert image_facts({"uuid": "../../x"}) is None
    assert facts_by_uuid([{}, ENTRY]).keys() == {UUID}


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[1]", b"3", b"[[]]", b"[" * 100_000, b"\xff"]
)
def test_answer__of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(FetchError):
        read_answer(content)


def test_answer__of_one_or_of_several() -> None:
    assert read_answer(json.dumps(ENTRY).encode()) == [ENTRY]
    assert read_answer(b"[]") == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(list(ENTRY)), _JSON))
def test_facts__of_anything_are_facts_or_none(values: dict[str, Any]) -> None:
    found = image_facts(ENTRY | values)
    assert found is None or found.uuid == UUID


def test_uuid__is_one_or_is_not() -> None:
    assert uuid_in(UUID.upper()) == UUID
    assert uuid_in(f"{UUID}.png") is None


def test_api__is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_VARIABLE, raising=False)
    assert api_address() == "https://database.fathomnet.org/api"
    monkeypatch.setenv(API_VARIABLE, "http://localhost:1/api/")
    assert api_address() == "http://localhost:1/api"
    monkeypatch.setenv(API_VARIABLE, "nowhere")
    with pytest.raises(AddressError):
        api_address()
