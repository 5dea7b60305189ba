"""Missing, unreadable, equal and look-alike files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from finding_nemo.core.records import ImageRecord
from finding_nemo.data.quality.duplicates import equal_groups, scene_hash
from finding_nemo.data.quality.file_check import check_files, count_faults

Pixels = npt.NDArray[np.uint8]


def scene(seed: int, size: tuple[int, int] = (90, 160)) -> Pixels:
    rng = np.random.default_rng(seed)
    # Patterns of several sizes, as in a real frame.
    layers = [
        np.asarray(
            Image.fromarray(rng.integers(0, 255, (cells, 2 * cells, 3), dtype=np.uint8)).resize(
                (size[1], size[0]), Image.Resampling.BICUBIC
            )
        )
        for cells in (4, 8, 16, 32)
    ]
    return np.asarray(np.mean(layers, axis=0), dtype=np.uint8)


def save(path: Path, pixels: Pixels, *, quality: int = 95) -> None:
    Image.fromarray(pixels).save(path, quality=quality)


def record(path: Path, dive: str, **changes: int) -> ImageRecord:
    return ImageRecord(path.stem, path, (1,), dive=dive, **changes)  # type: ignore[arg-type]


def test_hash__survives_recompression_and_resizing_but_not_another_scene() -> None:
    first = scene_hash(scene(1))
    smaller = scene_hash(np.asarray(Image.fromarray(scene(1)).resize((120, 70))))
    assert np.bitwise_count(first ^ smaller).sum() <= 12
    assert np.bitwise_count(first ^ scene_hash(scene(2))).sum() > 60


def test_equal_groups__in_order_of_first_place() -> None:
    assert equal_groups(["x", "y", "x", "z", "y", "x"]) == [[0, 2, 5], [1, 4]]


def test_check__names_every_kind_of_fault(tmp_path: Path) -> None:
    names = ("good", "copy", "alike", "other")
    good, copy, alike, other = (tmp_path / f"{name}.jpg" for name in names)
    save(good, scene(1))
    copy.write_bytes(good.read_bytes())
    save(alike, scene(1), quality=60)
    save(other, scene(2))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(good.read_bytes()[:400])
    ticks: list[int] = []
    found = check_files(
        [
            record(good, "d1", width=160, height=90),
            record(copy, "d2", width=100, height=90),
            record(alike, "d3"),
            record(other, "d3"),
            record(broken, "d4"),
            record(tmp_path / "absent.jpg", "d4"),
        ],
        progress=lambda done, total, failures=0: ticks.append(1),
    )
    assert len(ticks) == found.n_checked == 6
    assert [fault.image_id for fault in found.missing] == ["absent"]
    assert [fault.image_id for fault in found.unreadable] == ["broken"]
    assert [(f.image_id, f.reason) for f in found.resized] == [
        ("copy", "is 160 x 90 px, recorded 100 x 90")
    ]
    assert [[r.image_id for r in group] for group in found.duplicates] == [["good", "copy"]]
    assert {(p.first.image_id, p.second.image_id) for p in found.near} == {
        ("good", "alike"),
        ("copy", "alike"),
    }


def test_check__look_alikes_of_one_dive_are_only_counted(tmp_path: Path) -> None:
    for k in range(2):
        save(tmp_path / f"{k}.jpg", scene(1), quality=95 - k)
    found = check_files([record(tmp_path / f"{k}.jpg", "d1") for k in range(2)])
    assert found.near == ()
    assert found.n_near_in_dive == 2
    assert found.n_near_across == 0


def test_check__look_alikes_across_dives_are_counted_by_frame(tmp_path: Path) -> None:
    for k in range(3):
        save(tmp_path / f"{k}.jpg", scene(1), quality=95 - k)
    found = check_files([record(tmp_path / f"{k}.jpg", f"d{k // 2}") for k in range(3)])
    assert (found.n_near_across, found.n_near_in_dive) == (3, 2)
    pairs = {(p.first.image_id, p.second.image_id) for p in found.near}
    assert pairs == {("0", "2"), ("1", "2")}
    assert found.is_near_complete


def test_check__of_files_none_of_which_is_an_image_is_a_list_of_reasons(tmp_path: Path) -> None:
    records = []
    for k in range(5):
        (tmp_path / f"{k}.jpg").write_bytes(b"" if k == 3 else b"no image")
        records.append(record(tmp_path / f"{k}.jpg", "d"))
    found = check_files(records)
    assert (found.n_usable, len(found.unreadable), found.near) == (0, 5, ())
    (most, one) = count_faults(found.unreadable)
    assert (most.n_files, most.first.image_id) == (4, "0")
    assert (one.reason, one.n_files, one.first.image_id) == ("is empty (0 bytes)", 1, "3")


def test_check__opens_regular_files_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "device.jpg").symlink_to("/dev/zero")
    (tmp_path / "dangling.jpg").symlink_to("absent.jpg")
    paths = [tmp_path / f"{name}.jpg" for name in ("pipe", "folder", "loop", "device", "dangling")]
    found = check_files([record(path, "d") for path in (*paths, Path("a\0b.jpg"))])
    assert [fault.image_id for fault in found.missing] == ["dangling"]
    reasons = {fault.image_id: fault.reason for fault in found.unreadable}
    assert reasons.keys() == {"pipe", "folder", "loop", "device", "a\0b"}
    assert reasons["pipe"] == reasons["device"] == "is a folder, pipe or device, not a file"
    assert "Too many levels of symbolic links" in reasons["loop"]
    assert "null" in reasons["a\0b"]


def test_check__equal_files_of_a_fixed_camera_are_one_group(tmp_path: Path) -> None:
    save(tmp_path / "0.jpg", scene(1))
    for k in range(1, 200):
        (tmp_path / f"{k}.jpg").symlink_to("0.jpg")
    found = check_files([record(tmp_path / f"{k}.jpg", f"d{k % 3}") for k in range(200)])
    assert [len(group) for group in found.duplicates] == [200]
    assert (found.near, found.n_near_across, found.n_near_in_dive) == ((), 0, 200)
