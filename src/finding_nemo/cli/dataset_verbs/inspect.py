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
    check_folder,
    check_suffix,
)

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset
    from finding_nemo.data.quality.file_check import FileCheck
    from finding_nemo.evaluation.dataset.inspect_dataset import Inspection
    from finding_nemo.workflows.inspect_labels import LabelOutputs


EXAMPLES = (
    "finding-nemo inspect fathomnet/",
    "finding-nemo inspect annotations.json --images frames/ --out inspect.html",
    "finding-nemo inspect fathomnet/ --deep --predictions probe.parquet --labels-out labels/",
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
    deep: Annotated[
        bool, typer.Option("--deep", help="Look for wrong and missing labels, too.")
    ] = False,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="For --deep: predictions of the images, made with --embeddings."),
    ] = None,
    labels_out: Annotated[
        Path | None,
        typer.Option(help="For --deep: a folder for the doubtful labels, as page and tables."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace existing outputs.")] = False,
) -> None:
    """Validate and explore a data set; with --deep, find labels that look wrong."""
    check_suffix(out, "--out", ".html", ".htm")
    _check_deep(deep=deep, predictions=predictions, labels_out=labels_out)

    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
    from finding_nemo.reporting.html.inspect_page import write_inspect_page
    from finding_nemo.reporting.terminal.inspection_text import print_inspection

    check_files({"--out": out}, overwrite=overwrite, inputs=(dataset, split))
    if labels_out is not None:
        check_folder(labels_out, overwrite=overwrite, inputs=(dataset, split, *(predictions or ())))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    check_apart_from_images((out,), data)
    show_notices(data.notices)
    check = _check(data) if open_images else None
    reporter().activity("comparing dives, times and labels of the frames")
    found = inspect_dataset(data, split=read_split(split) if split else None, check=check)
    show_notices(found.notices)
    print_inspection(found)
    if out is not None:
        reporter().activity("drawing the report")
        write_inspect_page(found, out, name=dataset.name, overwrite=overwrite)
        print_result(f"report {out}")
    if deep:
        from finding_nemo.workflows.inspect_labels import LabelOutputs

        outputs = LabelOutputs(folder=labels_out, name=dataset.name, overwrite=overwrite)
        _find_label_errors(found, predictions or [], outputs)


def _check_deep(*, deep: bool, predictions: list[Path] | None, labels_out: Path | None) -> None:
    if deep and not predictions:
        raise typer.BadParameter(
            "--deep compares what a network sees: give --predictions FILE, made by "
            "`finding-nemo predict BUNDLE IMAGES --embeddings --out FILE.parquet`, best with a "
            "bundle of the recipe probe."
        )
    if not deep and (predictions or labels_out):
        raise typer.BadParameter("--predictions and --labels-out are for --deep; add it.")


def _find_label_errors(found: Inspection, predictions: list[Path], outputs: LabelOutputs) -> None:
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.reporting.terminal.label_errors_text import print_label_errors
    from finding_nemo.workflows.inspect_labels import inspect_labels

    near = found.check.near if found.check else ()
    errors = inspect_labels(found.dataset, predictions, outputs, near=near, reporter=reporter())
    show_notices(errors.notices)
    print_label_errors(errors)
    if outputs.folder is not None:
        print_result(f"doubtful labels {outputs.folder}")


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
