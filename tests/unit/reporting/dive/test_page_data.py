"""What the page's program reads, as a browser would."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from finding_nemo.reporting.dive.page_data import frames_script, maps_scripts, time_in_words
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.dive.thumbnail_sheets import SheetForm, Thumbnails


def parsed(script: str) -> Any:
    """Return the value that a script's JSON.parse gets."""
    found = re.search(r"JSON\.parse\((\".*\")\)", script)
    assert found
    return json.loads(json.loads(found[1]))


def script_of(found: Any, links: list[str]) -> str:
    shown = Thumbnails(form=SheetForm(), is_shown=(True,) * len(links), failures={})
    return frames_script(found, shown, links, "d_files")


def test_columns__hold_one_value_a_frame(dive_files: Any, tmp_path: Path) -> None:
    rows = [
        dive_files.row(0, unusualness=0.949),
        dive_files.row(1, failure="is empty"),
        dive_files.row(2, unusualness=0.996, probabilities=[0.25, 0.125, 0.0]),
    ]
    found = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows))
    data = parsed(script_of(found, ["./../images/a.png", "", "./../images/b/c.png"]))
    frames = data["frames"]
    assert {len(column) for column in frames.values()} == {3}
    assert frames["unusual"] == [94, -1, 100]
    assert frames["answer"] == [0, -1, 0]
    assert frames["failure"] == [-1, 0, -1]
    assert frames["guesses"] == [[0, 800, 1, 300, 2, 100], [], [0, 250, 1, 125, 2, 0]]
    assert (data["linkPrefix"], frames["link"]) == ("./../images/", ["a.png", "", "b/c.png"])
    assert data["failures"] == ["is empty"]
    assert data["names"][2] == ["squid", "Mollusca", 2, 1]
    assert data["lookOrder"] == [2]
    assert list(data["reasons"]) == ["2"]
    assert data["dives"][0]["counts"] == [1, 0, 1]
    assert len(data["novelty"]) == 101


def test_script__holds_no_text_that_ends_it(dive_files: Any, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>\u2028\x1b[2J & 'x' \"y\" \\"
    rows = [dive_files.row(0, image_id=evil, dive=evil, answer=evil, why=evil)]
    script = script_of(read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows)), [""])
    assert script.isascii()
    assert script.count("\n") == 1
    data = parsed(script)
    assert data["names"][-1][0].startswith("</script><script>alert(1)</script>\\u2028\\x1b[2J")


def test_maps__lie_in_parts_of_some_hundred_frames(dive_files: Any, tmp_path: Path) -> None:
    rows = [dive_files.row(n, maps=[n % 256] * 4 if n else None) for n in range(300)]
    path = dive_files.write(
        tmp_path / "d.parquet", rows, maps={"rows": 1, "columns": 2, "guesses": 2}
    )
    found = read_dive_frames(path)
    assert parsed(script_of(found, [""] * 300))["maps"] == {
        "rows": 1,
        "columns": 2,
        "guesses": 2,
        "perFile": 256,
    }
    scripts = dict(maps_scripts(found))
    assert list(scripts) == ["maps-0000.js", "maps-0001.js"]
    first, second = (parsed(text) for text in scripts.values())
    assert (first[0], len(first), len(second)) == (None, 256, 44)
    assert base64.b64decode(second[1]) == bytes([257 % 256] * 4)


def test_times__are_of_the_clock_or_of_the_video_and_midnight_is_a_date(
    dive_files: Any, tmp_path: Path
) -> None:
    rows = [
        dive_files.row(0, captured=datetime(2015, 5, 7)),
        dive_files.row(1, captured=datetime(2015, 5, 7, 8, 1, 2)),
        dive_files.row(2, dive="d", time_s=3723.9),
        dive_files.row(3),
    ]
    frames = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows)).frames
    times = [time_in_words(frame) for frame in frames]
    assert times == ["2015-05-07", "2015-05-07 08:01:02", "", "1:02:03"]
