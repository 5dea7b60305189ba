"""The forms of data sets that are read, in one table that loads no library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.names.registries import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetForm:
    """One form of a data set: a file known by its suffix, or a folder known by what is in it.

    Attributes:
        name: Its name.
        about: One line for people.
        reader: "module:function"; it takes the path and, by keyword, `images` (the image folder,
            if it was named) and `pattern` (where to find the dive), and returns a `Dataset`.
        suffixes: Of a file.
        marks: Files of a folder, of which one is enough to know it by.
        needs: What such a folder must hold, in words.
        files: Patterns of all files that are read in a folder beside the images.
    """

    name: str
    about: str
    reader: str
    suffixes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    needs: str = ""
    files: tuple[str, ...] = ()

    def fits(self, path: Path) -> bool:
        """Return whether `path` is there and looks like this form."""
        # `os.path` says no, and not an error, for a name that no disk takes.
        if os.path.isdir(path):
            return any((path / mark).is_file() for mark in self.marks)
        return path.suffix.lower() in self.suffixes and os.path.isfile(path)


# The first that fits reads a data set.
DATASET_FORMS: Mapping[str, DatasetForm] = registry(
    DatasetForm(
        name="fathomnet2023",
        about="a folder in the FathomNet 2023 layout",
        reader="finding_nemo.data.datasets.fathomnet2023:read_competition_folder",
        marks=(
            "category_key.csv",
            "multilabel_classification/train.csv",
            "object_detection/train.json",
        ),
        needs="category_key.csv and multilabel_classification/train.csv or "
        "object_detection/train.json",
        files=("category_key.csv", "multilabel_classification/*.csv", "object_detection/*.json"),
    ),
    DatasetForm(
        name="coco",
        about="a COCO file",
        reader="finding_nemo.data.datasets.coco_dataset:read_coco_dataset",
        suffixes=(".json",),
    ),
    DatasetForm(
        name="csv",
        about="a CSV file with the columns path,categories",
        reader="finding_nemo.data.datasets.csv_dataset:read_csv_dataset",
        suffixes=(".csv", ".tsv", ".txt"),
    ),
    DatasetForm(
        name="fathomnet2023-zip",
        about="the FathomNet 2023 zip as Kaggle gives it",
        reader="finding_nemo.data.datasets.zipped_competition:read_competition_zip",
        suffixes=(".zip",),
    ),
)

DATASET_SUFFIXES: frozenset[str] = frozenset(
    suffix for form in DATASET_FORMS.values() for suffix in form.suffixes
)


def form_of(path: Path) -> DatasetForm | None:
    """Return the form of the data set at `path`; `None` if it is none."""
    return next((form for form in DATASET_FORMS.values() if form.fits(path)), None)
