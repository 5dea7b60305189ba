"""`finding-nemo predict BUNDLE IMAGES... --out FILE`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from finding_nemo.prediction.run import Engine
    from finding_nemo.results.summary import PredictionSummary


def predict(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it.")],
    images: Annotated[
        list[str],
        typer.Argument(
            help="Image files, folders, patterns, URLs, lists (- for stdin), tars, videos, "
            "or data sets."
        ),
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
    every: Annotated[
        str | None, typer.Option(help="Of a video, one frame every 1s, 500ms, 2min (default 1s).")
    ] = None,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Keep the network's features, for `similar`.")
    ] = False,
    shard: Annotated[
        str, typer.Option(help="Only share i of n, as i/n; `merge` joins the files.")
    ] = "1/1",
    engine: Annotated[
        str, typer.Option(help="local, or ray: a cluster, or this machine as one.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Of the engine ray; default: one a core.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option(help="Replace an existing file or another command's unfinished run.")
    ] = False,
) -> None:
    """Say what is in each image: one row an image, in order, failures kept.

    A run that was stopped goes on with the same command.
    """
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together.")

    from finding_nemo.cli.notices import image_progress, notify
    from finding_nemo.models.bundle import load_bundle
    from finding_nemo.prediction.inputs import Selection, parse_interval
    from finding_nemo.prediction.run import parse_shard
    from finding_nemo.prediction.to_file import predict_to_file
    from finding_nemo.results.writers import FORMATS

    if file_format not in FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(FORMATS)}.")
    if engine not in ("local", "ray"):
        raise typer.BadParameter("--engine must be local or ray.")
    share = parse_shard(shard)
    every_s = None if every is None else parse_interval(every)
    loaded = load_bundle(bundle)
    progress, move = image_progress("predicting")
    with stdin_list(images) as stdin, progress:
        selection = Selection(
            tuple(images),
            images=images_folder,
            dive_pattern=dive_pattern,
            origin=origin,
            split=split,
            part=part,
            every_s=every_s,
            stdin=stdin,
        )
        summary = predict_to_file(
            loaded,
            selection,
            out,
            file_format=file_format,
            with_vector=vector,
            with_embedding=embeddings,
            shard=share,
            engine=choose_engine(engine, workers),
            overwrite=overwrite,
            move=move,
            say=notify,
        )
    _tell(summary, out)


def choose_engine(name: str, workers: int | None) -> Engine:
    """Return what predicts; Ray is loaded only where it is asked for."""
    if name == "ray":
        from finding_nemo.cli.notices import notify
        from finding_nemo.prediction.engine_ray import RayEngine

        return RayEngine(workers, notify)
    from finding_nemo.prediction.engine_local import predict_here

    return predict_here


@contextmanager
def stdin_list(names: Sequence[str]) -> Iterator[Path | None]:
    """Yield a file with the lines of stdin if `-` is among `names`: they are read twice."""
    if "-" not in names:
        yield None
        return
    with NamedTemporaryFile(suffix=".txt") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)


def _tell(summary: PredictionSummary, out: Path) -> None:
    from finding_nemo.cli.notices import notify

    for line in summary.first_failures:
        notify(f"failed: {line}")
    failed = f", {summary.n_failed} of them failed" if summary.n_failed else ""
    typer.echo(f"{out}: {summary.n_images} images{failed}.")
    typer.echo(f"content sha256 {summary.content_sha256}")
    if summary.n_failed == summary.n_images:
        notify("No image could be used.")
        raise typer.Exit(1)
