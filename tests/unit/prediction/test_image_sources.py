"""What names on the command line stand for, and that every kind of place reads alike."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import DatasetError, DatasetNotFoundError, SettingsError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.prediction.run.run_plan import Plan, write_plan
from finding_nemo.prediction.sources import image_loader
from finding_nemo.prediction.sources.image_loader import load_images, start_decoding_ahead
from finding_nemo.prediction.sources.image_sources import (
    ImageInput,
    ImageSelection,
    collect_images,
    parse_interval,
)
from finding_nemo.prediction.sources.prepared_image import PreparedImage

_PREPROCESSING = Preprocessing(width_px=16, height_px=12)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames that differ, one of them damaged, in folders whose names sort oddly."""
    folder = tmp_path_factory.mktemp("frames")
    rng = np.random.default_rng(5)
    for name in ("a.png", "a/b.png", "a/c/d.jpg", "a-b.png", "z/b.png", "a!.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).save(path)
    (folder / "z/b.png").write_bytes(b"no image")
    (folder / "a/notes.md").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def tar(frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tar") / "shard-000.tar"
    with tarfile.open(path, "w") as archive:
        for file in sorted(frames.rglob("*.*")):
            if file.is_file():
                archive.add(file, file.relative_to(frames).as_posix())
    return path


@pytest.fixture(scope="module")
def in_memory(frames: Path, tar: Path) -> Iterator[str]:
    store = fsspec.filesystem("memory")
    store.put(str(frames), "/bucket/frames", recursive=True)
    store.put(str(tar), "/bucket/shard-000.tar")
    store.pipe("/bucket/list.txt", b"memory://bucket/frames/a.png\n\nmemory://bucket/gone.png\n")
    yield "memory://bucket"
    store.rm("/bucket", recursive=True)


def ready(inputs: list[ImageInput]) -> list[PreparedImage]:
    found = list(load_images(inputs, _PREPROCESSING))
    assert [image.image_id for image, _ in found] == [image.image_id for image in inputs]
    return [image for _, image in found]


def test_folder__is_read_in_the_order_of_whole_paths(frames: Path) -> None:
    found = [image.path for image in collect_images([str(frames)])]
    expected = sorted(str(path) for path in frames.rglob("*.*") if path.suffix in (".png", ".jpg"))
    assert found == expected
    assert len(found) == 6


def test_ids__are_stems_where_those_are_unique_and_paths_where_not(frames: Path) -> None:
    ids = {image.path: image.image_id for image in collect_images([str(frames)] * 2)}
    assert ids[str(frames / "a/c/d.jpg")] == f"{frames / 'a/c/d.jpg'}#2"
    once = {image.path: image.image_id for image in collect_images([str(frames)])}
    assert once[str(frames / "a/c/d.jpg")] == "d"
    assert once[str(frames / "z/b.png")] == str(frames / "z/b.png")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("*.png", ["a!.png", "a-b.png", "a.png"], id="one folder"),
        pytest.param("*/b.png", ["a/b.png", "z/b.png"], id="folders"),
        pytest.param("**/*.jpg", ["a/c/d.jpg"], id="any depth"),
        pytest.param("?/b.p[n]g", ["a/b.png", "z/b.png"], id="one letter"),
    ],
)
def test_pattern__names_files(
    frames: Path, in_memory: str, pattern: str, expected: list[str]
) -> None:
    found = [image.path for image in collect_images([f"{frames}/{pattern}"])]
    assert found == [str(frames / name) for name in expected]
    remote = [image.path for image in collect_images([f"{in_memory}/frames/{pattern}"])]
    assert remote == [f"{in_memory}/frames/{name}" for name in expected]


def test_pattern__may_be_relative(frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(frames)
    assert [image.path for image in collect_images(["*-*.png"])] == ["a-b.png"]
    assert [image.path for image in collect_images(["a/*.png"])] == ["a/b.png"]


def test_store_and_tar__give_the_pixels_of_the_folder(
    frames: Path, tar: Path, in_memory: str
) -> None:
    local = collect_images([str(frames)])
    expected = [image.pixels for image in ready(local)]
    reasons = [image.failure for image in ready(local)]
    assert [reason is None for reason in reasons] == [True] * 5 + [False]
    assert len({value.tobytes() for value in expected if value is not None}) == 5
    for name in (f"{in_memory}/frames", str(tar), f"{in_memory}/shard-000.tar"):
        inputs = collect_images([name])
        by_name = {image.path.split("::")[0].split("frames/")[-1]: image for image in inputs}
        assert len(by_name) == 6
        for image, values, reason in zip(local, expected, reasons, strict=True):
            key = os.path.relpath(image.path, frames)
            (found,) = ready([by_name.get(f"tar://{key}") or by_name[key]])
            assert found.failure == reason
            if values is not None:
                assert found.pixels is not None
                assert found.pixels.tobytes() == values.tobytes()


def test_list__keeps_its_order_and_its_absent_files(
    frames: Path, in_memory: str, tmp_path: Path
) -> None:
    names = [frames / "z/b.png", frames / "gone.png", frames / "a.png", frames / "a.png"]
    (tmp_path / "list.txt").write_text("\n".join(map(str, names)) + "\n\n")
    inputs = collect_images([str(tmp_path / "list.txt")])
    assert [image.path for image in inputs] == [str(name) for name in names]
    assert [image.failure for image in ready(inputs)] == [
        "is not an image that can be read",
        "file not found",
        None,
        None,
    ]
    remote = collect_images([f"{in_memory}/list.txt"])
    assert [image.failure for image in ready(remote)] == [None, "file not found"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_list__from_any_program(tmp_path: Path, encoding: str, newline: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(newline.join(["b.jpg", "", "Köder.jpg ", "a.jpg"]).encode(encoding))
    found = collect_images([str(path)])
    assert [image.path for image in found] == ["b.jpg", "Köder.jpg", "a.jpg"]


def test_list__in_latin_1_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"a.jpg\ncaf\xe9.jpg\n")
    with pytest.raises(DatasetError, match=r"line 2: byte 0xe9 .* is not UTF-8\. Save the file"):
        collect_images([str(path)])


def test_stdin__stands_for_a_list(frames: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text(f"{frames / 'a.png'}\n")
    selection = ImageSelection(("-",), stdin=lines)
    assert [image.image_id for image in selection.stream()] == ["a"]
    before = selection.request()
    lines.write_text(f"{frames / 'a-b.png'}\n")
    assert selection.request() != before


def test_tar__that_is_damaged_is_a_row_with_a_failure(tar: Path, tmp_path: Path) -> None:
    (tmp_path / "no.tar").write_text("not a tar, but longer than nothing")
    (tmp_path / "cut.tar").write_bytes(tar.read_bytes()[:2500])
    whole, no, cut = (
        collect_images([str(path)]) for path in (tar, tmp_path / "no.tar", tmp_path / "cut.tar")
    )
    assert [image.failure for image in ready(no)] == [
        "is no tar that can be read (truncated header)"
    ]
    assert 0 < len(cut) < len(whole)
    assert any(image.failure for image in ready(cut))
    (tmp_path / "p.tar.gz").touch()
    with pytest.raises(DatasetError, match="packed tar"):
        collect_images([str(tmp_path / "p.tar.gz")])


def test_nothing__is_said_plainly(frames: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        collect_images([str(tmp_path / "no")])
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        collect_images(["memory://nobody/no"])
    with pytest.raises(DatasetError, match="No image to predict in"):
        collect_images([f"{frames}/*.webp"])
    with pytest.raises(DatasetError, match="nosuch:// cannot be read"):
        collect_images(["nosuch://a/b"])


def test_plan__gives_back_what_was_written(frames: Path, tar: Path, tmp_path: Path) -> None:
    names = [str(frames), str(tar)] * 60
    expected = collect_images(names)
    size = write_plan(ImageSelection(tuple(names)).stream(), tmp_path / "plan.parquet")
    plan = Plan(tmp_path / "plan.parquet")
    assert (size.n_images, size.n_chunks, size.has_frames) == (720, 3, False)
    assert [size.rows_in(part) for part in range(3)] == [256, 256, 208]
    assert [image for part in range(3) for image in plan.chunk(part)] == expected


def test_plan__keeps_what_a_data_set_says(tiny_folder: Path, tmp_path: Path) -> None:
    expected = collect_images([str(tiny_folder)])
    write_plan(expected, tmp_path / "plan.parquet")
    found = Plan(tmp_path / "plan.parquet").chunk(0)
    for one, other in zip(found, expected, strict=True):
        assert one.record.captured == other.record.captured
        assert one.record.captured is not None
        for name in ("image_id", "dive", "sequence", "frame_number", "time_known", "width"):
            assert getattr(one.record, name) == getattr(other.record, name)


def test_decoding__is_started_ahead_of_local_files_only(
    frames: Path, tar: Path, in_memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead: list[tuple[Path, int]] = []
    monkeypatch.setattr(image_loader, "start_ahead_of", lambda path, n: ahead.append((path, n)))
    local = collect_images([str(frames / "a.png")])[0]
    others = [
        *collect_images([str(tar), f"{in_memory}/frames/a.png"]),
        replace(local, content=b""),
        replace(local, time_s=0.0),
        replace(local, failure="is missing"),
    ]
    for image in [*others, local]:
        start_decoding_ahead(image, 7)
    assert ahead == [(frames / "a.png", 7)]


def test_interval__has_units() -> None:
    for text, seconds in (("1s", 1.0), ("0.5", 0.5), ("500ms", 0.5), ("2min", 120.0)):
        assert parse_interval(text) == seconds
    for text in ("", "0s", "-1s", "soon", "inf"):
        with pytest.raises(SettingsError, match="is no interval"):
            parse_interval(text)
