"""Depths of the frames of a page, from a navigation file: by time and by name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from finding_nemo.exporting.positions.frame_positions import read_position_sources
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.workflows.dive_depths import with_depths

NOON = datetime(2015, 5, 7, 12)


def test_depths__are_linear_in_time_and_counted(dive_files: Any, tmp_path: Path) -> None:
    track = tmp_path / "nav.csv"
    track.write_text("time,depth_m\n2015-05-07T12:00:00,100\n2015-05-07T12:00:40,140\n")
    rows = [dive_files.row(n, dive="a", captured=NOON.replace(second=10 * n)) for n in (0, 1, 4, 5)]
    found = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows))
    placed = with_depths(found, read_position_sources([track], reads_headers=False))
    assert [frame.depth_m for frame in placed.frames] == [100.0, 110.0, 140.0, None]
    assert placed.notices[-1] == "The depth of 3 of 4 frames is known."
    none = with_depths(found, read_position_sources([], reads_headers=False))
    assert (none.notices, none.frames) == (found.notices, found.frames)


def test_depths__by_a_name_that_two_folders_share_are_nobodys(
    dive_files: Any, tmp_path: Path
) -> None:
    table = tmp_path / "nav.csv"
    table.write_text("file,depth_m\nf1.png,7\nb/f2.png,8\nf2.png,9\n")
    rows = [
        dive_files.row(n, path=path) for n, path in enumerate(["x/f1.png", "a/f2.png", "b/f2.png"])
    ]
    found = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows))
    placed = with_depths(found, read_position_sources([table], reads_headers=False))
    assert {frame.path: frame.depth_m for frame in placed.frames} == {
        "x/f1.png": 7.0,
        "a/f2.png": None,
        "b/f2.png": 8.0,
    }
    other = tmp_path / "other.csv"
    other.write_text("file,depth_m\nelsewhere.png,7\n")
    missed = with_depths(found, read_position_sources([other], reads_headers=False))
    assert missed.notices[-1].startswith("No frame got a depth")


def test_a_list_of_fetches_without_depths__is_passed_over_without_a_word(
    dive_files: Any, tmp_path: Path
) -> None:
    (tmp_path / "fetched.csv").write_text("file,depth_m\nf1.png,\nf2.png,\n")
    rows = [dive_files.row(n, path=f"f{n}.png") for n in (1, 2)]
    found = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows))

    def notices(*named: Path) -> tuple[str, ...]:
        sources = read_position_sources(named, images=tmp_path, reads_headers=False)
        return with_depths(found, sources).notices[len(found.notices) :]

    assert notices() == ()
    named = tmp_path / "nav.csv"
    named.write_text("file,latitude,longitude\nf1.png,36,-122\n")
    assert notices(named) == ("No frame got a depth: nav.csv says none.",)
    (tmp_path / "fetched.csv").write_text("file,depth_m\nelsewhere.png,7\n")
    assert notices() == (
        "No frame got a depth: the times or names of the navigation fit none of them.",
    )
    (tmp_path / "fetched.csv").write_text("file,depth_m\nf1.png,7\nf2.png,\n")
    assert notices() == ("The depth of 1 of 2 frames is known.",)
