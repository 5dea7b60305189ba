"""What a folder holds besides images: passed over and counted, never the end of a run."""

from __future__ import annotations

import inspect
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import DatasetError, ImageError
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.filesystems import filesystem as places
from finding_nemo.data.filesystems.passed_over import PassedOver
from finding_nemo.data.filesystems.walking import matching, walk
from finding_nemo.prediction.sources.image_sources import ImageInput, ImageSelection


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def streamed(*names: str | Path, **choices: Any) -> tuple[list[ImageInput], list[str]]:
    told: list[str] = []
    images = list(ImageSelection(tuple(map(str, names)), **choices).stream(Reporter(told.append)))
    return images, told


def paths(images: list[ImageInput], folder: Path) -> list[str]:
    return [Path(image.path).relative_to(folder).as_posix() for image in images]


def test_unknown_suffixes__are_said_in_one_notice(tmp_path: Path) -> None:
    suffixes = (".jfif", ".jpe", ".JPG_original", "", ".heic", ".avif", ".mxf", "2.mxf")
    folder = touched(tmp_path, "a.jpg", *(f"b{suffix}" for suffix in suffixes))
    images, told = streamed(folder)
    assert paths(images, folder) == ["a.jpg", "b.jfif", "b.jpe"]
    assert told == [
        "note: 6 files passed over: .mxf 2, .avif 1, .heic 1, .jpg_original 1, without suffix 1 "
        f"(first: {folder}/b)."
    ]
    (folder / "a.jpg").unlink()
    (folder / "b.jfif").unlink()
    (folder / "b.jpe").unlink()
    with pytest.raises(DatasetError, match=r"No image to predict in .*\. 6 files passed over: "):
        streamed(folder)


def test_many_kinds__are_cut_short(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg", *(f"b.{letter}" for letter in "abcdefghij"))
    assert ", .h 1, 2 kinds more (first:" in streamed(tmp_path)[1][0]


def test_hidden_and_tool_folders__are_skipped_and_counted(tmp_path: Path) -> None:
    names = [".thumbnails", "@eaDir", "__MACOSX", ".Trash-0", "$RECYCLE.BIN", ".ipynb_checkpoints"]
    names += [".git", ".od.parts", "__pycache__", "sub/@eaDir"]
    touched(tmp_path, "a.jpg", "sub/b.jpg", "._a.jpg", ".c.png", *(f"{n}/x.jpg" for n in names))
    images, told = streamed(tmp_path)
    assert paths(images, tmp_path) == ["a.jpg", "sub/b.jpg"]
    assert f"2 hidden files passed over (first: {tmp_path}/._a.jpg)." in told[0]
    assert "10 hidden or tool folders passed over: @eaDir 2, $RECYCLE.BIN 1, .Trash-0 1" in told[1]
    by_pattern, told = streamed(tmp_path / "**/*.jpg")
    assert paths(by_pattern, tmp_path) == ["a.jpg", "sub/b.jpg"]
    assert "10 hidden or tool folders" in told[1]


def test_hidden_folder__that_is_named_is_read(tmp_path: Path) -> None:
    touched(tmp_path, ".thumbnails/a.jpg", "d/.thumbnails/b.jpg", "d/@eaDir/c.jpg")
    assert paths(streamed(tmp_path / ".thumbnails")[0], tmp_path) == [".thumbnails/a.jpg"]
    for pattern, expected in (
        ("*/.thumbnails/*.jpg", "d/.thumbnails/b.jpg"),
        ("*/.th*/*", "d/.thumbnails/b.jpg"),
        ("*/@eaDir/*.jpg", "d/@eaDir/c.jpg"),
        (".thumb*/*.jpg", ".thumbnails/a.jpg"),
    ):
        assert paths(streamed(tmp_path / pattern)[0], tmp_path) == [expected]


def test_videos__that_nobody_asked_for_are_counted(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg", "b.mp4", "c.MOV")
    assert streamed(tmp_path)[1] == [
        f"note: 2 videos passed over: .mov 1, .mp4 1 (first: {tmp_path}/b.mp4); add --every 1s to "
        "take frames of them."
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_sockets_devices_and_broken_links__are_rows(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "pipe.tar")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "gone.jpg").symlink_to("nothing.jpg")
    (tmp_path / "round.jpg").symlink_to("round.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(tmp_path)  # a socket's path has 100 characters at most
        server.bind("socket.jpg")
        os.chdir(before)
        images, told = streamed(tmp_path)
        named, _ = streamed(*(image.path for image in images))
    expected = {
        "a.jpg": None,
        "gone.jpg": None,  # known when it is opened
        "pipe.jpg": "is no regular file (a named pipe)",
        "pipe.tar": "is no regular file (a named pipe)",
        "round.jpg": "is a link that leads back to itself",
        "socket.jpg": "is no regular file (a socket)",
        "zero.jpg": "is no regular file (a device)",
    }
    assert {Path(image.path).name: image.failure for image in images} == expected
    assert ".txt 1" in told[0]
    expected["gone.jpg"] = "file not found"
    assert {Path(image.path).name: image.failure for image in named} == expected
    (fifo,) = streamed(tmp_path / "pipe.txt")[0]
    assert fifo.failure == "is no regular file (a named pipe)"
    with pytest.raises(ImageError, match="a named pipe"):
        places.read_range(str(tmp_path / "pipe.tar"), 0, 1)


def test_links_to_folders__each_folder_once(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    touched(inside, "d/a.jpg", "d/e/b.jpg", ".hid/h.jpg")
    touched(outside, "x/c.jpg", "y/d.jpg")
    for name, target in (
        ("d/up", ".."),
        ("d/self", "self"),
        ("aa", "d"),
        ("whole", "/"),
        ("zx", "../out/x"),
        ("zz", "../out"),
        ("zh", ".hid"),
    ):
        (inside / name).symlink_to(target)
    (outside / "back").symlink_to("../in")
    images, told = streamed(inside)
    assert paths(images, inside) == ["d/a.jpg", "d/e/b.jpg", "zh/h.jpg", "zx/c.jpg", "zz/y/d.jpg"]
    assert "5 links to folders passed over" in " ".join(told)
    assert f"(first: {inside}/aa)" in " ".join(told)
    assert len(streamed(inside / "**/*.jpg")[0]) == 5
    assert paths(streamed(inside / "aa/*.jpg")[0], inside) == ["aa/a.jpg"]
    assert paths(streamed(inside / "a*/*.jpg")[0], inside) == ["aa/a.jpg"]


def test_folder_that_cannot_be_listed__is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched(tmp_path, "a.jpg", "locked/b.jpg", "z/c.jpg")
    real = os.scandir

    def scandir(path: str) -> Any:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr("finding_nemo.data.filesystems.filesystem.os.scandir", scandir)
    images, told = streamed(tmp_path)
    assert paths(images, tmp_path) == ["a.jpg", "z/c.jpg"]
    reason = f"{tmp_path}/locked may not be read (permission denied)"
    assert told == [f"note: 1 folders could not be listed (first: {reason})."]
    with pytest.raises(DatasetError, match="No image to predict in .* could not be listed"):
        streamed(tmp_path / "locked")


@pytest.mark.parametrize("name", ["x\0/*.jpg", "\ud800/*.jpg", "gone/*.jpg", "n" * 300 + "/*.jpg"])
def test_pattern__in_a_folder_that_cannot_be_is_one_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="No image to predict in .* could not be listed"):
        streamed(f"{tmp_path}/{name}")


def test_entry_that_cannot_be_looked_at__is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        def __init__(self, name: str) -> None:
            self.name = name

        def is_dir(self) -> bool:
            raise OSError(5, "Input/output error", self.name)

        is_file = is_dir

    class Entries:
        def __enter__(self) -> Iterator[Entry]:
            return iter([Entry("a.jpg"), Entry("b")])

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("finding_nemo.data.filesystems.filesystem.os.scandir", lambda _: Entries())
    (image,) = streamed(tmp_path)[0]
    assert image.failure == "cannot be read (OSError: Input/output error)"


def test_deep_folders__need_no_recursion(tmp_path: Path) -> None:
    depth = 150
    touched(tmp_path, "d/" * depth + "a.jpg")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        walked = list(walk(str(tmp_path), PassedOver()))
        matched = list(matching(f"{tmp_path}/**/d/**/*.jpg", PassedOver()))
    finally:
        sys.setrecursionlimit(before)
    expected = [f"{tmp_path}/" + "d/" * depth + "a.jpg"]
    assert [found.path for found in walked] == [found.path for found in matched] == expected


_TREES = st.lists(
    st.lists(st.sampled_from(["a", "b", "a.jpg", ".h", "@eaDir", "z.tar.d"]), min_size=1).map(
        lambda parts: "/".join([*parts, "f.jpg"])
    ),
    max_size=6,
)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(trees=_TREES)
def test_walk__yields_each_file_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, trees: list[str]
) -> None:
    folder = touched(tmp_path_factory.mktemp("tree"), "top.jpg", *trees)
    passed = PassedOver()
    got = [found.path for found in walk(str(folder), passed)]
    every = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}
    seen = {p for p in every if not any(x.startswith(".") or x == "@eaDir" for x in p.parts)}
    assert got == sorted(f"{folder}/{path.as_posix()}" for path in seen)
    assert bool(passed.sentences()) == (seen != every)
    deep = [found.path for found in matching(f"{folder}/**/*.jpg", PassedOver())]
    assert sorted(deep) == got
    assert len(list(matching(f"{folder}/**", PassedOver()))) == len(got)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/a/**/*.jpg", ["a/1.jpg", "a/a/2.jpg", "b/a/3.jpg"]),
        ("**/**/a/*.jpg", ["a/1.jpg", "a/a/2.jpg", "b/a/3.jpg"]),
        ("*/a/*.jpg", ["a/a/2.jpg", "b/a/3.jpg"]),
        ("[ab]/**", ["a/1.jpg", "a/a/2.jpg", "b/a/3.jpg"]),
        ("*//a/./*.jpg", ["a/a/2.jpg", "b/a/3.jpg"]),
        ("a*/", ["a/1.jpg", "a/a/2.jpg"]),
        ("no*/x/*.jpg", []),
    ],
)
def test_pattern__names_each_file_once(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    touched(tmp_path, "a/1.jpg", "a/a/2.jpg", "b/a/3.jpg", "4.jpg")
    got = [found.path for found in matching(f"{tmp_path}/{pattern}", PassedOver())]
    assert got == [f"{tmp_path}/{name}" for name in expected]


def test_resumed_run__has_a_request_that_can_be_written(tmp_path: Path) -> None:
    request = ImageSelection(("d\udcff/a.jpg", "l\udcff.txt"), images=Path("i\udcff")).request()
    assert request["names"] == ["d%xFF/a.jpg", "l%xFF.txt"]
    assert repr(request).encode("utf-8")
