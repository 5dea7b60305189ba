"""Where the images are, and addresses that a browser opens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.errors import DatasetError
from finding_nemo.data.images.find_images import find_images, links
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames


def frames_of(dive_files: Any, folder: Path, *paths: str) -> Any:
    rows = [dive_files.row(n, path=path) for n, path in enumerate(paths)]
    return read_dive_frames(dive_files.write(folder / "d.parquet", rows)).frames


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folder__is_searched_by_name_and_then_by_path(dive_files: Any, tmp_path: Path) -> None:
    root = tmp_path / "images"
    touch(root / "a/one.png", root / "b/one.png", root / "two.jpg", root / "c/f3.png")
    touch(root / "notes.txt", root / "d/six.png", root / "e/six.png")
    frames = frames_of(
        dive_files,
        tmp_path,
        "/elsewhere/b/one.png",
        r"C:\dives\two.jpg",
        "two.png",
        "other/name.png",
        "notes.txt",
        "gone.png",
        "six.png",
        "tar://x/two.jpg::dive.tar",
    )
    found = find_images(frames, root)
    assert found.files == (
        root / "b/one.png",
        root / "two.jpg",
        root / "two.jpg",
        root / "c/f3.png",
        None,
        None,
        None,
        root / "two.jpg",
    )
    assert (found.n_missing, found.n_ambiguous) == (3, 1)


def test_without_a_folder__the_path_is_taken_as_it_is(
    dive_files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "here.png")
    monkeypatch.chdir(tmp_path)
    frames = frames_of(dive_files, tmp_path, "here.png", "gone.png", "s3://bucket/a.png", ".")
    assert find_images(frames).files == (Path("here.png"), None, None, None)


def test_a_folder_that_is_none__is_refused(dive_files: Any, tmp_path: Path) -> None:
    frames = frames_of(dive_files, tmp_path, "a.png")
    with pytest.raises(DatasetError, match="is no folder"):
        find_images(frames, tmp_path / "nowhere")


def test_links__are_relative_and_escaped() -> None:
    page = Path("/dives/pages/dive.html")
    odd = Path("/dives/images") / os.fsdecode(b'caf\xe9 #1 "<b>".png')
    assert links([Path("/dives/pages/a.png"), odd, None], page) == [
        "./a.png",
        "./../images/caf%E9%20%231%20%22%3Cb%3E%22.png",
        "",
    ]
