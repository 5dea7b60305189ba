"""Each form of data set is known by its suffix or its folder, and its reader reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finding_nemo.core.errors import AnnotationError
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS, DATASET_SUFFIXES, form_of
from finding_nemo.prediction.sources.image_sources import collect_images


def _fathomnet(folder: Path) -> Path:
    (folder / "multilabel_classification").mkdir()
    (folder / "category_key.csv").write_text("id,name,supercat\n1,Crab,Animal\n")
    (folder / "multilabel_classification/train.csv").write_text('id,categories\na,"[1.0]"\n')
    return folder


def _coco(folder: Path) -> Path:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}],
        "categories": [{"id": 1, "name": "Crab", "supercategory": "Animal"}],
    }
    (folder / "frames.json").write_text(json.dumps(content))
    return folder / "frames.json"


def _csv(folder: Path) -> Path:
    (folder / "frames.csv").write_text("path,categories\na.png,Crab\n")
    return folder / "frames.csv"


_SMALLEST = {"fathomnet2023": _fathomnet, "coco": _coco, "csv": _csv}


def test_every_form__has_a_smallest_example_here() -> None:
    assert list(_SMALLEST) == list(DATASET_FORMS)


@pytest.mark.parametrize("name", DATASET_FORMS)
def test_form__is_known_and_read(name: str, tmp_path: Path) -> None:
    path = _SMALLEST[name](tmp_path)
    assert form_of(path) == DATASET_FORMS[name]
    dataset = read_dataset(path)
    assert [record.image_id for record in dataset.records] == ["a"]
    assert dataset.categories.names == ("Crab",)


@pytest.mark.parametrize("suffix", sorted(DATASET_SUFFIXES - {".json"}))
def test_table__is_a_data_set_under_each_suffix(suffix: str, tmp_path: Path) -> None:
    path = _csv(tmp_path).rename(tmp_path / f"frames{suffix.upper()}")
    assert len(read_dataset(path).records) == 1


def test_other_suffix__is_refused_with_all_that_are_known(tmp_path: Path) -> None:
    (tmp_path / "frames.xlsx").touch()
    assert form_of(tmp_path / "frames.xlsx") is None
    with pytest.raises(AnnotationError, match=r"\.json, \.csv, \.tsv or \.txt file"):
        read_dataset(tmp_path / "frames.xlsx")


def test_prediction__takes_a_tsv_for_a_data_set_and_a_txt_for_a_list(tmp_path: Path) -> None:
    for suffix in (".tsv", ".txt"):
        (tmp_path / f"frames{suffix}").write_text("path\tcategories\na.png\tCrab\n")
    assert [image.image_id for image in collect_images([str(tmp_path / "frames.tsv")])] == ["a"]
    assert len(collect_images([str(tmp_path / "frames.txt")])) == 2
