"""The door for reading data sets: any form of `DATASET_FORMS` into one `Dataset`."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from finding_nemo.core.errors import AnnotationError, DatasetError, DatasetNotFoundError
from finding_nemo.core.names.registries import load
from finding_nemo.core.records import Dataset, DatasetSource
from finding_nemo.core.text.wrong_argument import check_path
from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS, form_of
from finding_nemo.data.datasets.dives import compile_dive_pattern

_YAML = frozenset({".yaml", ".yml"})


def read_dataset(
    path: Path | str, *, images: Path | str | None = None, dive_pattern: str | None = None
) -> Dataset:
    """Read a data set: a folder as FathomNet 2023 has it, or one file; no image is opened.

    A file is COCO, CSV, iFDO, a report of BIIGLE, CVAT for images 1.1, an export of Label Studio,
    an answer of FathomNet's interface, or annotations of VARS; its suffix and its first keys or
    columns tell which. Truth is what people say: labels that a tool's file states to be a
    machine's are counted in `notices` and left out.

    Args:
        path: Such as a folder in the FathomNet 2023 layout, a COCO file (.json), or a CSV file
            with the columns `path,categories` (and, if known, `id`, `vehicle`, `dive`, `time`).
        images: The image folder, where it is not the form's usual one.
        dive_pattern: A regular expression with a group `dive` (and perhaps `vehicle`),
            searched in each image's URL, or its path where it has none.

    Returns:
        The data set: its category table and a record of each image.

    Raises:
        ArgumentError: If `path` or `images` is no path.
        DatasetNotFoundError: If `path`, `images` or a needed file does not exist.
        AnnotationError: If a line or record cannot be read.
        DatasetError: If the data set is empty.
        SettingsError: If `dive_pattern` is unusable.

    Example:
        >>> dataset = finding_nemo.read_dataset("fathomnet/")  # doctest: +SKIP
        >>> dataset  # doctest: +SKIP
        Dataset(root=fathomnet, images=21,677, annotated=21,677, categories=290, dives=...)
    """
    takes = "the path of a data set: a folder or a file of annotations"
    check_path(path, "read_dataset()", takes)
    if images is not None:
        check_path(images, "read_dataset(images=...)", "the path of the image folder")
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
    form = form_of(path)
    if form is not None:
        dataset: Dataset = load(form.reader)(path, images=images, pattern=pattern)
        return dataset
    if not os.path.exists(path):
        raise DatasetNotFoundError(f"The data set {path} does not exist.")
    if path.is_dir():
        folders, files = _forms_in_words()
        raise DatasetNotFoundError(
            f"The folder {path} is no data set: it needs {folders}. For another layout name "
            f"{files}."
        )
    if path.suffix.lower() in _YAML:
        raise AnnotationError(
            f"{path} is YAML, which is not read. An iFDO is read as JSON: save it as that."
        )
    known = (suffix for form in DATASET_FORMS.values() for suffix in form.suffixes)
    *others, last = dict.fromkeys(known)
    raise AnnotationError(f"{path} is neither a folder nor a {', '.join(others)} or {last} file.")


def _forms_in_words() -> tuple[str, str]:
    """Return what the folders that are read must hold, and the files that are read."""
    forms = DATASET_FORMS.values()
    files = [f"{form.about} ({', '.join(form.suffixes)})" for form in forms if form.suffixes]
    return ", or ".join(form.needs for form in forms if form.needs), " or ".join(files)


def _notices(dataset: Dataset) -> list[str]:
    without_dive = sum(record.dive is None for record in dataset.annotated)
    if not without_dive:
        return []
    return [
        f"{without_dive} of {len(dataset.annotated)} annotated images have no dive; give "
        "--dive-pattern or a dive column, or dives cannot be kept apart."
    ]
