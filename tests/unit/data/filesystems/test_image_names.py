"""Which file a name means, and which id an image has, in every form of a data set."""

from __future__ import annotations

import csv
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from finding_nemo import read_dataset, read_predictions
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError, DatasetError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.datasets.fields.path_spelling import file_of_name
from finding_nemo.data.filesystems.image_names import id_of_file, ids_of_files
from finding_nemo.data.filesystems.name_text import name_of_text, text_of_name
from finding_nemo.data.images.image_folder import ImageFolder
from finding_nemo.data.splits.split_csv import read_split, write_split
from finding_nemo.data.splits.splitters.by_frame import split_at_random
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_ids import IdResolver
from finding_nemo.prediction.sources.image_sources import ImageSelection, collect_images

_NFC, _NFD = (unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD"))
_ODD = os.fsdecode(b"caf\xe9.jpg")


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def coco_of(folder: Path, *names: str) -> Dataset:
    content: dict[str, Any] = {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(names)],
        "categories": [{"id": 1, "name": "crab"}],
        "annotations": [{"image_id": n, "category_id": 1} for n in range(len(names))],
    }
    (folder / "a.json").write_text(json.dumps(content))
    return read_dataset(folder / "a.json")


def csv_of(folder: Path, *names: str) -> Dataset:
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([("path", "categories"), *((name, "crab") for name in names)])
    return read_dataset(folder / "a.csv")


def found(dataset: Dataset) -> list[str | None]:
    """Return the file of each record, or `None` where it is absent."""
    root = dataset.root
    return [
        record.path.relative_to(root).as_posix() if record.path.is_file() else None
        for record in dataset.records
    ]


_FORMS = pytest.mark.parametrize("form", [coco_of, csv_of], ids=["coco", "csv"])


@_FORMS
def test_the_very_name_comes_first(tmp_path: Path, form: Any) -> None:
    touched(tmp_path, "a.jpg", "a.png", "a", "A.png", "a.tif.jpg")
    names = ["a.png", "a.jpg", "a", "A.png", "a.tif.jpg"]
    dataset = form(tmp_path, *names)
    assert found(dataset) == names
    assert [r.image_id for r in dataset.records] == ["a.png", "a.jpg", "a", "A", "a.tif"]


@_FORMS
@pytest.mark.parametrize(
    ("there", "named", "expected"),
    [
        pytest.param(["a.jpg"], ["a.png"], ["a.jpg"], id="converted"),
        pytest.param(["a.jpg"], ["a.png", "a.jpg"], [None, "a.jpg"], id="another row's"),
        pytest.param(["a.jpg"], ["a.heic"], ["a.jpg"], id="converted from what is not read"),
        pytest.param(["a.jpg", "a.tif"], ["a.png"], [None], id="two"),
        pytest.param(["a.txt"], ["a.png"], [None], id="no image"),
        pytest.param(["d.2015.jpg"], ["d.2016"], [None], id="dots"),
        pytest.param(["a.jpg"], ["A.JPG"], ["a.jpg"], id="capitals"),
        pytest.param(["a.jpg", "a.JPG"], ["A.JPG"], [None], id="two capitals"),
        pytest.param(["Cam/a.jpg"], ["cam/a.jpg"], ["Cam/a.jpg"], id="folder's capitals"),
        pytest.param([_NFD], [_NFC], [_NFD], id="accents"),
        pytest.param([_NFD, _NFD.upper()], [_NFC], [_NFD], id="accents before capitals"),
        pytest.param(["c/i.jpg"], ["c\\i.jpg"], ["c/i.jpg"], id="backslash"),
        pytest.param(["c\\i.jpg", "c/i.jpg"], ["c\\i.jpg"], ["c\\i.jpg"], id="backslash in a name"),
        pytest.param(["c/i.jpg"], ["C\\i.png"], ["c/i.jpg"], id="all at once"),
        pytest.param([_ODD], ["caf%xE9.jpg"], [_ODD], id="escaped"),
        pytest.param(["f/a.jpg"], ["a.jpg"], [None], id="another folder"),
    ],
)
def test_a_name_that_is_absent__means_the_one_file_that_it_can(
    tmp_path: Path, form: Any, there: list[str], named: list[str], expected: list[str | None]
) -> None:
    assert found(form(touched(tmp_path, *there), *named)) == expected


def test_what_was_taken_instead__is_counted_with_an_example(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg", "b.jpg", "C.jpg", "d.jpg", "d.tif")
    notices = coco_of(tmp_path, "a.png", "b.tif", "c.jpg", "d.png").notices
    assert notices[:3] == (
        "1 images are there under a name with other capitals or another form of accents "
        "(first: c.jpg, found C.jpg).",
        "2 images are not there with the suffix given and are read with another "
        "(first: a.png, found a.jpg).",
        "1 images are absent, and several files could be meant, so none is taken "
        "(first: d.png; there are d.jpg, d.tif).",
    )


def test_id_alone__finds_its_file(tmp_path: Path) -> None:
    folder = ImageFolder(touched(tmp_path, "a.jpg", "b.png", "b.jpg", "x.tif", "x", _ODD))
    names = [folder.locate_id(name).name for name in ("a", "b", "x.tif", "gone", "caf%xE9", "x")]
    assert names == ["a.jpg", "b.png", "x.tif", "gone.png", _ODD, "x"]
    assert folder.notices() == ()


def test_folder_that_cannot_be_listed__still_has_files_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scandir(path: object) -> None:
        raise PermissionError(13, "no", str(path))

    touched(tmp_path, "a.jpg")
    monkeypatch.setattr("finding_nemo.data.images.image_folder.os.scandir", scandir)
    assert found(coco_of(tmp_path, "a.jpg", "b.jpg")) == ["a.jpg", None]


@_FORMS
def test_names_without_suffix__keep_their_dots(tmp_path: Path, form: Any) -> None:
    names = ["dive.2015.03.01", "dive.2015.03.02", "x/dive.2015.03.02"]
    dataset = form(touched(tmp_path, *names), *names)
    assert [record.image_id for record in dataset.records] == [names[0], names[1], names[2]]
    assert found(dataset) == names


def test_ids_of_files__are_as_short_as_they_can_be() -> None:
    assert ids_of_files(["a/x.jpg", "b/y.png"]) == ["x", "y"]
    assert ids_of_files(["a/x.jpg", "b/x.jpg"]) == ["a/x", "b/x"]
    assert ids_of_files(["a/x.jpg", "a/x.png"]) == ["a/x.jpg", "a/x.png"]
    assert ids_of_files(["a.jpg", "a.png", "a.jpg.tif"]) == ["a.jpg", "a.png", "a.jpg.tif"]
    assert ids_of_files(["c\\i.jpg", "c/i.jpg"]) == ["c\\i.jpg", "c/i.jpg"]
    assert [id_of_file(n) for n in (".jpg", "a.JPEG", "c\\i.jfif", "a.b")] == [
        ".jpg",
        "a",
        "i",
        "a.b",
    ]


_PARTS = st.lists(st.sampled_from(["a", "A", ".", "..", "a.jpg", "%xE9", "\udce9", "\\", ".png"]))
_NAMES = st.lists(st.lists(st.sampled_from(["a", "b.jpg", "a.jpg", "a.png", ".tif"]), min_size=1))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(_NAMES.map(lambda names: list(dict.fromkeys("/".join(parts) for parts in names))))
def test_ids_of_files__differ_where_the_names_do(names: list[str]) -> None:
    ids = ids_of_files(names)
    assert len(set(ids)) == len(names)
    assert ids_of_files(names[::-1]) == ids[::-1]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.one_of(st.binary(), _PARTS.map(lambda p: os.fsencode("".join(p)))))
def test_text_of_a_name__is_utf8_and_leads_back(name: bytes) -> None:
    read = os.fsdecode(name)
    text = text_of_name(read)
    text.encode("utf-8")
    assert os.fsencode(name_of_text(text)) == name
    if "%x" not in read and not any("\udc80" <= c <= "\udcff" for c in read):
        assert text == read


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "p", "p#2", "p#3", "q", "\ud800"]),
            st.sampled_from(["p", "p#2", "p#2#2", "q", "a"]),
        ),
        min_size=1,
    )
)
def test_resolver__gives_every_image_an_id_of_its_own(images: list[tuple[str, str]]) -> None:
    resolver = IdResolver()
    for image_id, location in images:
        resolver.add(image_id, location)
    resolver.close()
    ids = [resolver.resolve(*image) for image in images]
    assert len(set(ids)) == len(ids)
    given_ids = [image_id for image_id, _ in images]
    for image_id, own in zip(given_ids, ids, strict=True):
        assert (own == image_id) or given_ids.count(image_id) > 1


def test_data_set__with_an_id_twice_is_refused(tmp_path: Path) -> None:
    table = CategoryTable((Category(1, "crab", "none"),))
    ids = ["a", "b", "a", "b", "b", "c"]
    with pytest.raises(DatasetError, match=r"2 image ids .* \('a' 2 times, 'b' 3 times\)"):
        Dataset(tmp_path, table, tuple(ImageRecord(i, tmp_path, (1,)) for i in ids))
    with pytest.raises(AnnotationError, match="line 3: image id 'a' is there already"):
        csv_of(tmp_path, "a.jpg", "a.jpg")


def test_name__that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="half a character"):
        coco_of(tmp_path, "\ud800.jpg")


def test_name__that_looks_like_half_a_url_is_a_name(tmp_path: Path) -> None:
    names = ["xx://[a.jpg", "yy://[b]c.jpg"]
    for dataset in (coco_of(tmp_path, *names), csv_of(tmp_path, *names)):
        assert [record.image_id for record in dataset.records] == ["[a", "[b]c"]


def test_split_and_data_set__agree_where_stems_repeat(tmp_path: Path) -> None:
    dataset = coco_of(tmp_path, "a.jpg", "a.png", "c\\b.jpg", "\udce9.jpg", "d/b.jpg")
    split = split_at_random(dataset, val_fraction=0.0)
    write_split(split, tmp_path / "split.csv")
    assert set(read_split(tmp_path / "split.csv").part_of) == set(dataset.by_id)
    assert list(dataset.by_id) == ["a.jpg", "a.png", "c/b", "%xE9", "d/b"]


def test_odd_bytes_in_names__come_through_to_every_format(
    tmp_path: Path, small_bundle: Path
) -> None:
    folder = tmp_path / "d\udcff"
    folder.mkdir()
    for name in (_ODD, "100%x41.jpg", "ü\n.jpg"):
        Image.new("RGB", (40, 30)).save(tmp_path / "whole.jpg")
        (folder / name).write_bytes((tmp_path / "whole.jpg").read_bytes())
    bundle = load_bundle(small_bundle)
    for file_format in ("parquet", "csv", "jsonl"):
        out = tmp_path / f"p.{file_format}"
        predict_to_file(bundle, ImageSelection((str(folder),)), out, file_format=file_format)
    table = pq.read_table(tmp_path / "p.parquet").to_pydict()
    assert table["image_id"] == ["100%x25x41", "caf%xE9", "ü\n"]
    assert table["path"] == [f"{tmp_path}/d%xFF/{name}.jpg" for name in table["image_id"]]
    assert table["failure"] == [None] * 3
    assert list(read_predictions(tmp_path / "p.jsonl").paths) == table["path"]
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["image"] for row in csv.DictReader(file)] == table["path"]
    again = collect_images([str(Path(path)) for path in table["path"]])
    assert [image.path for image in again] == table["path"]


def test_list__of_names_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touched(tmp_path, "cam1/i0.jpg", "cam1/i1.jpg", "a\\b.jpg", "B.JPG", _NFD)
    monkeypatch.chdir(tmp_path)
    lines = ["cam1\\i0.jpg", "cam1/i1.jpg", "a\\b.jpg", "b.jpg", _NFC, "gone.jpg", "no\\no.jpg"]
    (tmp_path / "l.txt").write_text("\n".join(lines))
    told: list[str] = []
    images = list(ImageSelection(("l.txt",)).stream(Reporter(told.append)))
    assert [i.path for i in images] == [
        "cam1/i0.jpg",
        "cam1/i1.jpg",
        "a\\b.jpg",
        "B.JPG",
        _NFD,
        "gone.jpg",
        "no\\no.jpg",
    ]
    assert [i.image_id for i in images[:3]] == ["i0", "i1", "b"]
    assert [i.failure for i in images] == [None] * 5 + ["file not found"] * 2
    assert told == [
        "note: 3 names were found only under another spelling "
        "(first: cam1\\i0.jpg, found cam1/i0.jpg)."
    ]


def test_file_of_name__leaves_alone_what_is_not_there(tmp_path: Path) -> None:
    touched(tmp_path, "a.jpg", "A.jpg")
    for name in ("b.jpg", "A.JPG", "x\0.jpg", "\ud800.jpg", "n" * 5000, "", "/", ".."):
        assert file_of_name(str(tmp_path / name)) == str(tmp_path / name)
    assert file_of_name("\\") == "\\"
