"""The arguments and options of every verb that takes a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS

_FORMS = ", ".join(form.about for form in DATASET_FORMS.values())
DatasetPath = Annotated[Path, typer.Argument(help=f"A data set: {_FORMS}.")]
OptionalDatasetPath = Annotated[
    Path | None,
    typer.Argument(
        help=f"A data set: {_FORMS}. It may be left out where --reviews are given.",
        show_default=False,
    ),
]
ImagesFolder = Annotated[
    Path | None, typer.Option("--images", help="The image folder of the data set.")
]
DivePattern = Annotated[
    str | None, typer.Option(help="Regular expression with a group named dive.")
]
Changes = Annotated[list[str] | None, typer.Option("--set", help="key=value, as often as needed.")]
