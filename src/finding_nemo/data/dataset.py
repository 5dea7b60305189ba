"""A data set folder, a COCO file or a CSV file into one `Dataset`."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from finding_nemo.core.errors import AnnotationError, DatasetError, DatasetNotFoundError
from finding_nemo.core.records import Dataset, DatasetSource
from finding_nemo.data.datasets.coco_dataset import read_coco_dataset
from finding_nemo.data.datasets.csv_dataset import read_csv_dataset
from finding_nemo.data.datasets.dives import compile_dive_pattern
from finding_nemo.data.datasets.fathomnet2023 import is_competition_folder, read_competition_folder


def read_dataset(
    path: Path | str, *, images: Path | str | None = None, dive_pattern: str | None = None
) -> Dataset:
    """Read a data set in any of three forms; no image is opened.

    Args:
        path: A folder in the FathomNet 2023 layout, a COCO file (.json), or a CSV file with
            the columns `path,categories` (and, if known, `id`, `vehicle`, `dive`, `time`).
        images: The image folder, where it is not the form's usual one.
        dive_pattern: A regular expression with a group `dive` (and perhaps `vehicle`),
            searched in each image's URL, or its path where it has none.

    Raises:
        DatasetNotFoundError: If `path`, `images` or a needed file does not exist.
        AnnotationError: If a line or record cannot be read.
        DatasetError: If the data set is empty.
        SettingsError: If `dive_pattern` is unusable.
    """
    path = Path(path)
    folder = None if images is None else _existing_folder(Path(images))
    pattern = None if dive_pattern is None else compile_dive_pattern(dive_pattern)
    dataset = _read_form(path, folder, pattern)
    if not dataset.records:
        raise DatasetError(f"The data set {path} is empty: it lists no image.")
    source = DatasetSource(path, folder, dive_pattern)
    return replace(dataset, notices=(*dataset.notices, *_notices(dataset)), source=source)


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise DatasetNotFoundError(f"The image folder {folder} (--images) does not exist.")
    return folder


def _read_form(path: Path, images: Path | None, pattern: re.Pattern[str] | None) -> Dataset:
    if is_competition_folder(path):
        return read_competition_folder(path, images=images, pattern=pattern)
    is_file = os.path.isfile(path)  # false, not an error, for a name that no disk takes
    if is_file and path.suffix.lower() == ".json":
        return read_coco_dataset(path, images=images, pattern=pattern)
    if is_file and path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return read_csv_dataset(path, images=images, pattern=pattern)
    if not os.path.exists(path):
        raise DatasetNotFoundError(f"The data set {path} does not exist.")
    if path.is_dir():
        raise DatasetNotFoundError(
            f"The folder {path} is no data set: it needs category_key.csv and "
            "multilabel_classification/train.csv or object_detection/train.json. For another "
            "layout name a COCO file (.json) or a CSV file with the columns path,categories."
        )
    raise AnnotationError(f"{path} is neither a folder nor a .json, .csv or .tsv file.")


def _notices(dataset: Dataset) -> list[str]:
    without_dive = sum(record.dive is None for record in dataset.annotated)
    if not without_dive:
        return []
    return [
        f"{without_dive} of {len(dataset.annotated)} annotated images have no dive; give "
        "--dive-pattern or a dive column, or dives cannot be kept apart."
    ]
