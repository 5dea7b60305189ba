"""Navigation as people and programs write it."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import DatasetError
from finding_nemo.exporting.export_frame import FramePosition
from finding_nemo.exporting.positions.navigation_file import NavigationFile, read_navigation
from finding_nemo.exporting.positions.track import position_at

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "30"))


def read(folder: Path, text: str, name: str = "nav.csv") -> NavigationFile:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_navigation(path)


@pytest.mark.parametrize(
    "text",
    [
        "time,latitude,longitude,depth_m\n2020-01-01T00:00:00Z,1.5,-2.5,30\n",
        "taken_at;lat;lng;gps_altitude\n2020-01-01 00:00:00;1,5;-2,5;-30\n",
        "TimeStamp\tLAT\tLON\tDepth\n2020-01-01T02:00:00+02:00\t1.5\t357.5\t30\n",
    ],
)
def test_tables_by_time__say_one_thing(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert found.track is not None
    at = position_at(found.track, datetime(2020, 1, 1), max_gap_s=1)
    wanted = FramePosition(latitude=1.5, longitude=-2.5, depth_m=30, source="nav.csv")
    assert at == wanted


def test_tables_by_file__say_moments_too(tmp_path: Path) -> None:
    found = read(tmp_path, "filename,taken_at,depth_m\na.png,2020-01-01 10:00:00,5\nb.png,,\n")
    assert found.track is None
    assert found.by_file["a.png"].depth_m == 5
    assert found.moments == {"a.png": datetime(2020, 1, 1, 10)}


def test_depth_above_the_surface__is_left_out_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "file,lat,lon,depth\na,1,2,-3\nb,1,,4\n")
    assert found.by_file["a"] == FramePosition(latitude=1, longitude=2, source="nav.csv")
    assert found.by_file["b"] == FramePosition(depth_m=4, source="nav.csv")
    assert "1 entries of the navigation say depths above the surface" in found.notices[0]
    assert "half a position" in found.notices[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,lat,lon\n2020-01-01,95,0\n", "line 2: latitude must be from -90 to 90"),
        ("time,lat,lon\n2020-01-01,x,0\n", "line 2, lat: 'x' is not a number"),
        ("lat,lon\n1,2\n", "neither a column of times"),
        ("time,speed\n2020-01-01,2\n", "says nothing of positions"),
        ("time,lat,lon\nyesterday,1,2\n", "no entry whose time can be read"),
    ],
)
def test_what_cannot_be__is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read(tmp_path, text)


def test_ifdo__header_and_items(tmp_path: Path) -> None:
    content = {
        "image-set-header": {"image-latitude": 1.0, "image-longitude": 2.0},
        "image-set-items": {
            "a.png": {"image-altitude-meters": -40.5, "image-datetime": "2020-01-01 10:00:00.5"},
            "b.mp4": [{"image-latitude": 3.0}, {"image-latitude": 9.0}],
        },
    }
    found = read(tmp_path, json.dumps(content), "set.json")
    assert found.by_file["a.png"].depth_m == 40.5
    assert found.by_file["a.png"].latitude == 1.0
    assert found.by_file["b.mp4"].latitude == 3.0
    assert found.moments["a.png"] == datetime(2020, 1, 1, 10, 0, 0, 500_000)
    with pytest.raises(DatasetError, match="no iFDO file"):
        read(tmp_path, "[]", "other.json")
    content["image-set-items"] = {"a.png": {"image-latitude": "north"}}
    with pytest.raises(DatasetError, match="latitude must be a number"):
        read(tmp_path, json.dumps(content), "wrong.json")


_CELLS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["1", "-91", "1e999", "nan", "", "=1+1", "2020-01-01", '"', "-3", "0,5"]),
)


@settings(max_examples=_N, deadline=None)
@given(st.lists(st.tuples(_CELLS, _CELLS, _CELLS, _CELLS), max_size=4))
def test_any_table__is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    lines = ["time,lat,lon,depth", *(",".join(row) for row in rows)]
    path = tmp_path_factory.mktemp("nav") / "nav.csv"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(DatasetError):
        read_navigation(path)
