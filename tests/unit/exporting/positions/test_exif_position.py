"""Positions in the headers of pictures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from finding_nemo.exporting.export_frame import NOWHERE
from finding_nemo.exporting.positions.exif_position import (
    moment_of_tags,
    position_of_tags,
    read_exif_position,
)

_GPS = {1: "S", 2: (36.0, 30.0, 36.0), 3: "W", 4: (122.0, 0.0, 0.0), 5: b"\x01", 6: 900.5}


def test_degrees_minutes_seconds__worked_by_hand() -> None:
    found = position_of_tags(_GPS)
    assert found.latitude == pytest.approx(-36.51)
    assert found.longitude == -122.0
    assert found.depth_m == 900.5
    assert found.source == "EXIF"


def test_height_above_the_sea__is_no_depth() -> None:
    assert position_of_tags({**_GPS, 5: b"\x00"}).depth_m is None


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {2: (1.0, 2.0, 3.0)},
        {**_GPS, 2: (99.0, 0.0, 0.0), 5: 0},
        {**_GPS, 2: ("x", None, 0), 5: 0},
        {**_GPS, 1: "", 5: 0},
        {**_GPS, 4: (float("nan"), 0.0, 0.0), 5: 0},
    ],
)
def test_nonsense__says_nothing(tags: dict[int, object]) -> None:
    assert position_of_tags(tags) == NOWHERE


def test_moments__only_where_the_zone_is_known() -> None:
    gps = {7: (10.0, 2.0, 3.5), 29: "2015:05:01"}
    assert moment_of_tags(gps, {}) == datetime(2015, 5, 1, 10, 2, 3, 500_000)
    camera: dict[int, object] = {0x9003: "2015:05:01 12:00:00"}
    assert moment_of_tags({}, camera) is None
    assert moment_of_tags({}, {**camera, 0x9011: "+02:00"}) == datetime(2015, 5, 1, 10)


def test_file__is_read_and_a_missing_or_broken_one_says_nothing(tmp_path: Path) -> None:
    picture = Image.new("RGB", (8, 8))
    exif = picture.getexif()
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 30.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)})
    picture.save(tmp_path / "a.jpg", exif=exif)
    position, moment = read_exif_position(tmp_path / "a.jpg")
    assert (position.latitude, position.longitude, moment) == (1.5, 2.0, None)
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    for name in ("b.jpg", "c.jpg"):
        assert read_exif_position(tmp_path / name) == (NOWHERE, None)
