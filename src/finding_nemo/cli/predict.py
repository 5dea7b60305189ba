"""`finding-nemo predict BUNDLE IMAGES... --out FILE`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from finding_nemo.prediction.to_file import PredictionSummary


class Precision(StrEnum):
    """What the network computes in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    int8 = "int8"


class Runtime(StrEnum):
    """What computes the network."""

    auto = "auto"
    openvino = "openvino"
    onnxruntime = "onnxruntime"


def predict(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it.")],
    images: Annotated[
        list[str],
        typer.Argument(help="Image files, folders, text files of paths, or data sets."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    file_format: Annotated[
        str, typer.Option("--format", help="parquet, csv, jsonl or submission.")
    ] = "parquet",
    vector: Annotated[
        bool, typer.Option("--vector/--no-vector", help="Keep every probability.")
    ] = True,
    split: Annotated[
        Path | None, typer.Option(help="A split file; with --part, only that part.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="The part of the split to predict.")] = None,
    origin: Annotated[
        str | None, typer.Option(help="Of a data set, only the images of train or eval.")
    ] = None,
    images_folder: Annotated[
        Path | None, typer.Option("--images", help="The image folder of a data set.")
    ] = None,
    dive_pattern: Annotated[
        str | None, typer.Option(help="Regular expression with a group named dive.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
    precision: Annotated[
        Precision, typer.Option(help="Of the arithmetic; auto: the fastest that export checked.")
    ] = Precision.auto,
    runtime: Annotated[
        Runtime, typer.Option(help="What computes; auto: OpenVINO where it is installed.")
    ] = Runtime.auto,
) -> None:
    """Say what is in each image: one row an image, in order, failures kept."""
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together.")

    from finding_nemo.cli.notices import image_progress, notify
    from finding_nemo.core.files import refuse_existing
    from finding_nemo.models.bundle import load_bundle
    from finding_nemo.prediction.inputs import collect_images
    from finding_nemo.prediction.to_file import predict_to_file
    from finding_nemo.results.writers import FORMATS

    if file_format not in FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(FORMATS)}.")
    refuse_existing(out, overwrite=overwrite)
    inputs = collect_images(
        images,
        images=images_folder,
        dive_pattern=dive_pattern,
        origin=origin,
        split=split,
        part=part,
    )
    loaded = load_bundle(bundle)
    progress, move = image_progress("predicting")
    with progress:
        summary = predict_to_file(
            loaded,
            inputs,
            out,
            file_format=file_format,
            with_vector=vector,
            overwrite=overwrite,
            move=move,
            precision=precision.value,
            runtime=runtime.value,
            tell=notify,
        )
    _tell(summary, out)


def _tell(summary: PredictionSummary, out: Path) -> None:
    from finding_nemo.cli.notices import notify

    for line in summary.first_failures:
        notify(f"failed: {line}")
    failed = f", {summary.n_failed} of them failed" if summary.n_failed else ""
    typer.echo(f"{out}: {summary.n_images} images{failed}.")
    if summary.n_failed == summary.n_images:
        notify("No image could be used.")
        raise typer.Exit(1)
