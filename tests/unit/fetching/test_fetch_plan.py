"""What a fetch will do: what is here, what is not, what cannot be, and what it takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import DatasetError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.fetching.fetch_plan import FetchPlan, disk_needed, plan_fetch
from finding_nemo.fetching.fetched_list import FetchedImage

TABLE = CategoryTable((Category(1, "Crab", "none"),))


def record(
    name: str, folder: Path, *, url: str | None = None, size: tuple[int, int] | None = None
) -> ImageRecord:
    width, height = size or (None, None)
    return ImageRecord(
        name.rsplit(".")[0],
        folder / name,
        (1,),
        url=f"https://h.org/{name}" if url is None else url,
        width=width,
        height=height,
    )


def here(file: str, n_bytes: int) -> FetchedImage:
    return FetchedImage(
        file=file,
        image_id=file,
        url="",
        asked_url="",
        sha256="",
        n_bytes=n_bytes,
        width=10,
        height=10,
        fetched="",
    )


def plan(
    folder: Path,
    *records: ImageRecord,
    known: tuple[FetchedImage, ...] = (),
    limit: int | None = None,
) -> FetchPlan:
    dataset = Dataset(folder, TABLE, records)
    return plan_fetch(dataset, folder, known={each.file: each for each in known}, limit=limit)


def test_plan__tells_what_is_here_from_what_is_not(tmp_path: Path) -> None:
    for name in ("known.png", "unknown.png", "grown.png"):
        (tmp_path / name).write_bytes(b"x" * 5)
    names = ("known.png", "unknown.png", "grown.png", "absent.png", "gone.png")
    found = plan(
        tmp_path,
        *(record(name, tmp_path) for name in names),
        known=(here("known.png", 5), here("grown.png", 4), here("gone.png", 5)),
    )
    assert [image.file for image in found.here] == ["known.png"]
    assert [image.file for image in found.unknown] == ["unknown.png", "grown.png"]
    assert [image.file for image in found.wanted] == ["absent.png", "gone.png"]
    assert found.n_images == 5


def test_plan__names_what_cannot_be_asked_for(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "images"
    folder.mkdir()
    os.symlink(outside, folder / "link")
    found = plan(
        folder,
        record("a.png", folder, url=""),
        record("b.png", folder, url="ftp://h/b.png"),
        record("fetched.csv", folder),
        record(".finding-nemo-fetch/x.png", folder),
        record("link/c.png", folder),
        record("d.png", folder),
    )
    reasons = {image.file: image.reason for image in found.unusable}
    assert "no address" in reasons["a.png"]
    assert "http://" in reasons["b.png"]
    assert "writes itself" in reasons["fetched.csv"]
    assert "writes itself" in reasons[".finding-nemo-fetch/x.png"]
    assert "link" in reasons["link/c.png"]
    assert [image.file for image in found.wanted] == ["d.png"]


def test_plan__of_a_part_and_of_the_first_few(tmp_path: Path) -> None:
    records = [record(f"{n}.png", tmp_path) for n in range(5)]
    assert len(plan(tmp_path, *records, limit=2).wanted) == 2
    dataset = Dataset(tmp_path, TABLE, tuple(records))
    found = plan_fetch(dataset, tmp_path, known={}, image_ids=["3", "1"])
    assert [image.image_id for image in found.wanted] == ["3", "1"]
    with pytest.raises(DatasetError, match="9"):
        plan_fetch(dataset, tmp_path, known={}, image_ids=["9"])


def test_disk__is_guessed_by_the_recorded_sizes(tmp_path: Path) -> None:
    records = [
        record("a.png", tmp_path, size=(100, 100)),  # 1.5 bytes a pixel
        record("b.jpg", tmp_path, size=(100, 100)),  # 0.4
    ]
    n_bytes, estimate = disk_needed(plan(tmp_path, *records))
    assert n_bytes == 15_000 + 4_000
    assert "guess" in estimate.ground
    # One of no known size counts as the mean of the others.
    assert disk_needed(plan(tmp_path, *records, record("c.png", tmp_path)))[0] == 28_500


def test_disk__is_measured_once_enough_are_here(tmp_path: Path) -> None:
    known = tuple(here(f"{n}.png", 250) for n in range(20))
    for image in known:
        (tmp_path / image.file).write_bytes(b"x" * 250)
    records = [record(image.file, tmp_path) for image in known]
    found = plan(tmp_path, *records, record("new.png", tmp_path, size=(100, 100)), known=known)
    n_bytes, estimate = disk_needed(found)
    assert n_bytes == 25_000  # 250 bytes of 10 x 10 pixels: 2.5 a pixel
    assert "20 images" in estimate.ground


def test_disk__not_known_and_none(tmp_path: Path) -> None:
    assert disk_needed(plan(tmp_path, record("a.png", tmp_path)))[0] is None
    assert disk_needed(plan(tmp_path))[0] == 0
