"""Each form of data set is known by its suffix or its folder, and its reader reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS, form_of
from finding_nemo.prediction.sources.image_sources import collect_images

Smallest = Mapping[str, Callable[[Path], Path]]


def test_every_form__has_a_smallest_example(smallest: Smallest) -> None:
    assert list(smallest) == list(DATASET_FORMS)


@pytest.mark.parametrize("name", DATASET_FORMS)
def test_form__is_known_and_read(name: str, tmp_path: Path, smallest: Smallest) -> None:
    path = smallest[name](tmp_path)
    assert form_of(path) == DATASET_FORMS[name]
    dataset = read_dataset(path)
    assert [record.image_id for record in dataset.records] == ["a"]
    assert dataset.categories.names == ("Crab",)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [(name, suffix) for name, form in DATASET_FORMS.items() for suffix in form.suffixes],
)
def test_file__is_a_data_set_under_each_suffix(
    name: str, suffix: str, tmp_path: Path, smallest: Smallest
) -> None:
    path = smallest[name](tmp_path).rename(tmp_path / f"frames{suffix.upper()}")
    assert form_of(path) == DATASET_FORMS[name]
    assert len(read_dataset(path).records) == 1


def test_other_suffix__is_refused_with_all_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "frames.xlsx").touch()
    assert form_of(tmp_path / "frames.xlsx") is None
    named = (suffix for form in DATASET_FORMS.values() for suffix in form.suffixes)
    suffixes = list(dict.fromkeys(named))
    assert suffixes[:4] == [".json", ".csv", ".tsv", ".txt"]
    words = f"nor a {', '.join(suffixes[:-1])} or {suffixes[-1]} file."
    with pytest.raises(AnnotationError, match=re.escape(words)):
        read_dataset(tmp_path / "frames.xlsx")


def test_folder_of_no_form__is_refused_with_what_each_form_needs(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="is no data set") as caught:
        read_dataset(tmp_path)
    for form in DATASET_FORMS.values():
        assert (form.about in str(caught.value)) == bool(form.suffixes)
        assert form.needs in str(caught.value)
        assert bool(form.needs) == bool(form.marks)


def test_prediction__takes_a_tsv_for_a_data_set_and_a_txt_for_a_list(tmp_path: Path) -> None:
    for suffix in (".tsv", ".txt"):
        (tmp_path / f"frames{suffix}").write_text("path\tcategories\na.png\tCrab\n")
    assert [image.image_id for image in collect_images([str(tmp_path / "frames.tsv")])] == ["a"]
    assert len(collect_images([str(tmp_path / "frames.txt")])) == 2


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.json", '{"info": {"images": 1}, "annotations": [{"image_id": 1}]}', "coco"),
        ("a.json", '{"$schema": "x", "image-set-items": {"images": {}}}', "ifdo"),
        (
            "a.json",
            '\ufeff[{"id": 1, "annotations": [{"concept": 1}], "data": {}}]',
            "label-studio",
        ),
        ("a.json", '{"uuid": "u", "boundingBoxes": []}', "fathomnet-api"),
        ("a.json", '[{"a": "{\\"data\\": [", "concept": "x", "observation_uuid": "o"}]', "vars"),
        ("a.json", "[1, {", "coco"),
        ("a.csv", 'sep=;\n"filename";Label_Name\n', "biigle"),
        ("a.csv", "path,categories,filename\n", "csv"),
        ("a.csv", "x,y\n", "csv"),
        ("a.tsv", "filename\tlabel_name\n", "csv"),
    ],
)
def test_form__is_told_by_the_first_keys_or_the_columns(
    name: str, text: str, form: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = form_of(tmp_path / name)
    assert found is not None
    assert found.name == form


@pytest.mark.parametrize(
    ("name", "text", "both"),
    [
        ("a.json", '{"images": [], "image-set-items": {}}', ["a COCO file", "an iFDO file"]),
        ("a.csv", "path,categories,filename,label_name\n", ["a CSV file", "a CSV report"]),
    ],
)
def test_file__of_two_forms_is_refused_with_what_it_has_of_both(
    name: str, text: str, both: list[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AnnotationError, match="Take those of one out") as caught:
        read_dataset(tmp_path / name)
    assert all(words in str(caught.value) for words in both)
