"""The competition's zip is read as the folder that it holds; damage is one message."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.core.files import input_limits
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.datasets import zipped_competition
from finding_nemo.data.datasets.fetch_hint import fetch_hint

_FILES = (
    "category_key.csv",
    "multilabel_classification/train.csv",
    "object_detection/train.json",
)


def zipped(
    tiny: Path, path: Path, *, prefix: str = "", extra: dict[str, str] | None = None
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _FILES:
            archive.writestr(prefix + name, (tiny / name).read_bytes())
        for name, text in (extra or {}).items():
            archive.writestr(name, text)
    return path


@pytest.mark.parametrize("prefix", ["", "fathomnet/data/"])
def test_zip__is_read_as_its_folder_is(tiny_folder: Path, tmp_path: Path, prefix: str) -> None:
    images = tiny_folder / "images"
    found = read_dataset(zipped(tiny_folder, tmp_path / "k.zip", prefix=prefix), images=images)
    known = read_dataset(tiny_folder, images=images)
    assert found.records == known.records
    assert found.categories == known.categories
    assert found.root == tmp_path


def test_images_of_a_zip__lie_beside_it_and_those_in_it_are_said(
    tiny_folder: Path, tmp_path: Path
) -> None:
    path = zipped(tiny_folder, tmp_path / "k.zip", extra={"images/a.png": "x", "../b.png": "y"})
    found = read_dataset(path)
    assert found.records[0].path == tmp_path / "images" / "f0.png"
    assert any("holds 2 images" in notice for notice in found.notices)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["k.zip"]
    assert not (tmp_path.parent / "b.png").exists()


def test_fault_in_a_zip__names_the_zip(tiny_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "k.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("category_key.csv", "id,name,supercat\n1,crab,x\n")
        archive.writestr("multilabel_classification/train.csv", 'id,categories\na,"[7.0]"\n')
    with pytest.raises(AnnotationError) as caught:
        read_dataset(path)
    assert f"{path}/multilabel_classification/train.csv, line 2" in str(caught.value)


def test_other_zips__are_told_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "k.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DatasetNotFoundError, match=r"category_key\.csv"):
        read_dataset(path)
    path.write_bytes(b"<html>sign in</html>")
    with pytest.raises(AnnotationError, match="zip"):
        read_dataset(path)


def test_zip_that_unpacks_to_too_much__is_refused(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(input_limits.USUAL_LIMITS, max_text_bytes=5_000)
    monkeypatch.setattr(zipped_competition, "USUAL_LIMITS", small)
    with pytest.raises(AnnotationError, match="unpacks to more"):
        read_dataset(zipped(tiny_folder, tmp_path / "k.zip"))


def test_hint__gives_the_command_where_there_are_addresses(tiny_folder: Path) -> None:
    found = read_dataset(tiny_folder)
    hint = fetch_hint(found)
    assert "addresses of 30 images" in hint
    assert f"finding-nemo fetch {tiny_folder} --out DIR" in hint
    without = tuple(replace(record, url="") for record in found.records)
    assert fetch_hint(replace(found, records=without)) == ""
