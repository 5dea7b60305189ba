"""The forms of data sets that are read, in one table that loads no library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.names.registries import registry
from finding_nemo.data.datasets.file_signs import signs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetForm:
    """One form of a data set: a file known by its suffix, or a folder known by what is in it.

    Attributes:
        name: Its name.
        about: One line for people.
        reader: "module:function"; it takes the path and, by keyword, `images` (the image folder,
            if it was named) and `pattern` (where to find the dive), and returns a `Dataset`.
        suffixes: Of a file.
        signs: Keys or columns of a file, as `signs_of` gives them; all of one group together tell
            the form from others of the same suffix.
        marks: Files of a folder, of which one is enough to know it by.
        needs: What such a folder must hold, in words.
        files: Patterns of all files that are read in a folder beside the images.
    """

    name: str
    about: str
    reader: str
    suffixes: tuple[str, ...] = ()
    signs: tuple[frozenset[str], ...] = ()
    marks: tuple[str, ...] = ()
    needs: str = ""
    files: tuple[str, ...] = ()

    def fits(self, path: Path) -> bool:
        """Return whether `path` is there and may be of this form, by its suffix or its marks."""
        # `os.path` says no, and not an error, for a name that no disk takes.
        if os.path.isdir(path):
            return any((path / mark).is_file() for mark in self.marks)
        return path.suffix.lower() in self.suffixes and os.path.isfile(path)

    def is_shown_by(self, signs: frozenset[str]) -> bool:
        """Return whether the keys or columns of a file show that it is of this form."""
        return any(group <= signs for group in self.signs)


def _groups(*texts: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(text.split()) for text in texts)


_TOOLS = "finding_nemo.data.datasets.tools"
# Of several of one suffix that a file does not tell apart, the first reads it.
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
        signs=_groups("images"),
    ),
    DatasetForm(
        name="csv",
        about="a CSV file with the columns path,categories",
        reader="finding_nemo.data.datasets.csv_dataset:read_csv_dataset",
        suffixes=(".csv", ".tsv", ".txt"),
        signs=_groups("path categories"),
    ),
    DatasetForm(
        name="fathomnet2023-zip",
        about="the FathomNet 2023 zip as Kaggle gives it",
        reader="finding_nemo.data.datasets.zipped_competition:read_competition_zip",
        suffixes=(".zip",),
    ),
    DatasetForm(
        name="ifdo",
        about="an iFDO file (JSON)",
        reader=f"{_TOOLS}.ifdo_dataset:read_ifdo_dataset",
        suffixes=(".json",),
        signs=_groups("image-set-header", "image-set-items"),
    ),
    DatasetForm(
        name="biigle",
        about="a CSV report of BIIGLE",
        reader=f"{_TOOLS}.biigle_dataset:read_biigle_dataset",
        suffixes=(".csv",),
        signs=_groups("filename label_name", "video_filename label_name"),
    ),
    DatasetForm(
        name="cvat",
        about="CVAT for images 1.1 (XML)",
        reader=f"{_TOOLS}.cvat_dataset:read_cvat_dataset",
        suffixes=(".xml",),
    ),
    DatasetForm(
        name="label-studio",
        about="a JSON export of Label Studio",
        reader=f"{_TOOLS}.label_studio_dataset:read_label_studio_dataset",
        suffixes=(".json",),
        signs=_groups("*data", "*annotation_id", "*id *annotations", "*id *completions"),
    ),
    DatasetForm(
        name="fathomnet-api",
        about="a JSON answer of FathomNet",
        reader=f"{_TOOLS}.fathomnet_api_dataset:read_fathomnet_api_dataset",
        suffixes=(".json",),
        signs=_groups(
            *("*uuid *boundingBoxes", "*uuid *url *imagingType", "*uuid *url *contributorsEmail"),
            "uuid boundingBoxes",
        ),
    ),
    DatasetForm(
        name="vars",
        about="JSON annotations of VARS",
        reader=f"{_TOOLS}.vars_dataset:read_vars_dataset",
        suffixes=(".json",),
        signs=_groups(
            *("*concept *observation_uuid", "*concept *imaged_moment_uuid"),
            "*concept *video_reference_uuid",
        ),
    ),
)

DATASET_SUFFIXES: frozenset[str] = frozenset(
    suffix for form in DATASET_FORMS.values() for suffix in form.suffixes
)


def form_of(path: Path) -> DatasetForm | None:
    """Return the form of the data set at `path`; `None` if it is none.

    Where several forms share a suffix, the file's first keys or its columns tell which it is.

    Raises:
        AnnotationError: If they are those of two forms.
    """
    forms = [form for form in DATASET_FORMS.values() if form.fits(path)]
    if len(forms) < 2 or os.path.isdir(path):
        return forms[0] if forms else None
    signs = signs_of(path)
    shown = [form for form in forms if form.is_shown_by(signs)]
    if len(shown) > 1:
        raise AnnotationError(
            f"{path} looks like {shown[0].about} and like {shown[1].about}: it has the keys or "
            f"columns of both ({', '.join(_signs_of_forms(shown, signs))}). Take those of one out."
        )
    return (shown or forms)[0]


def _signs_of_forms(forms: list[DatasetForm], signs: frozenset[str]) -> list[str]:
    groups = [group for form in forms for group in form.signs if group <= signs]
    return sorted({sign.lstrip("*") for group in groups for sign in group})
