"""`finding-nemo inspect DATASET`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import DatasetPath, DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import (
    check_apart_from_images,
    check_files,
    check_suffix,
)

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset
    from finding_nemo.data.quality.file_check import FileCheck


EXAMPLES = (
    "finding-nemo inspect fathomnet/",
    "finding-nemo inspect annotations.json --images frames/ --out inspect.html",
)


def inspect(
    dataset: DatasetPath,
    out: Annotated[Path | None, typer.Option(help="An HTML report to write.")] = None,
    split: Annotated[Path | None, typer.Option(help="A split file to judge as well.")] = None,
    images: ImagesFolder = None,
    open_images: Annotated[
        bool,
        typer.Option("--open-images/--no-open-images", help="Look for damaged and equal files."),
    ] = True,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing report.")] = False,
) -> None:
    """Validate and explore a data set."""
    check_suffix(out, "--out", ".html", ".htm")

    from finding_nemo.cli.console.notices import show_notices
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
    from finding_nemo.reporting.html.inspect_page import write_inspect_page
    from finding_nemo.reporting.terminal.inspection_text import print_inspection

    check_files({"--out": out}, overwrite=overwrite, inputs=(dataset, split))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    check_apart_from_images((out,), data)
    show_notices(data.notices)
    found = inspect_dataset(
        data,
        split=read_split(split) if split else None,
        check=_check(data) if open_images else None,
    )
    show_notices(found.notices)
    print_inspection(found)
    if out is not None:
        write_inspect_page(found, out, name=dataset.name, overwrite=overwrite)
        print_result(f"report {out}")


def _check(dataset: Dataset) -> FileCheck | None:
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.data.quality.file_check import check_files

    if not any(record.path.is_file() for record in dataset.records):
        from finding_nemo.data.datasets.fetch_hint import fetch_hint

        hint = fetch_hint(dataset)
        reporter().message(
            "note: no image file is here; --images names their folder. Only words are checked."
            + (f" {hint}" if hint else "")
        )
        return None
    with reporter().progress("opening images") as progress:
        return check_files(dataset.records, progress=progress)
