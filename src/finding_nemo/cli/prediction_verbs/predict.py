"""`finding-nemo predict BUNDLE IMAGES... --out FILE`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import predict_options as options
from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run
from finding_nemo.core.files.input_limits import USUAL_LIMITS
from finding_nemo.core.names.inference_names import AUTO, check_device, check_dtype, check_runtime

if TYPE_CHECKING:
    from finding_nemo.models.inference.open_bundle_network import InferenceOptions
    from finding_nemo.prediction.rank_answers import Ranks
    from finding_nemo.prediction.run.chunked_run import Engine
    from finding_nemo.prediction.sources.image_sources import ImageSelection
    from finding_nemo.results.summary import PredictionSummary


EXAMPLES = (
    "finding-nemo predict runs/nemo dive-0297/ --out dive-0297.parquet",
    "finding-nemo predict runs/nemo dive.mp4 --every 5s --out dive.csv",
    "finding-nemo predict runs/nemo archive/ --shard 1/20 --out part-1.parquet",
)
# A job array has as many shards as somebody thought of, and must not fail for one too many.
_EMPTY_SHARD = (
    "This shard has no image: there are more shards than parts of 256 images. Its file has no row, "
    "and `merge` wants it with the others."
)


def predict(
    bundle: options.Bundle,
    images: options.Images,
    out: options.Out,
    file_format: options.Format = None,
    guesses: options.Guesses = None,
    ids: options.Ids = False,
    vector: options.Vector = True,
    precision: options.Precision = 0.9,
    ranks: options.Ranks = False,
    taxa: options.Taxa = None,
    split: options.Split = None,
    part: options.Part = None,
    origin: options.Origin = None,
    images_folder: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    every: options.Every = None,
    embeddings: options.Embeddings = False,
    maps: options.Maps = True,
    shard: options.ShardOf = "1/1",
    engine: options.EngineName = "local",
    workers: options.Workers = None,
    overwrite: options.Overwrite = False,
    dtype: options.Dtype = AUTO,
    runtime: options.Runtime = AUTO,
    device: options.Device = AUTO,
    max_megapixels: options.MaxMegapixels = USUAL_LIMITS.max_pixels / 1e6,
    max_file_mb: options.MaxFileMb = USUAL_LIMITS.max_file_bytes / 1e6,
    max_seconds: options.MaxSeconds = USUAL_LIMITS.max_seconds,
    dry_run: DryRunWanted = False,
) -> None:
    """Say what is in each image: one row an image, in order, failures kept.

    A run that was stopped goes on with the same command.
    """
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together.")
    if taxa is not None and not ranks:
        raise typer.BadParameter("--taxa goes with --ranks.")
    if not 0 < precision <= 1:
        raise typer.BadParameter(f"--precision must be in (0, 1], got {precision}.")
    _check_out(out, overwrite)
    choices = _choices(out, file_format, shard)
    choices["layout"] = options.spreadsheet_layout(guesses, ids, choices["file_format"])
    limits = replace(
        USUAL_LIMITS,
        max_pixels=round(max_megapixels * 1e6),
        max_file_bytes=round(max_file_mb * 1e6),
        max_seconds=max_seconds,
    )
    with stdin_list(images) as stdin:
        selection = _select(
            images,
            every,
            images=images_folder,
            dive_pattern=dive_pattern,
            origin=origin,
            split=split,
            part=part,
            stdin=stdin,
            limits=limits,
        )
        choices |= {"with_vector": vector, "with_embedding": embeddings, "with_maps": maps}
        choices |= {"precision": precision, "ranks": _ranks(ranks, taxa), "limits": limits}
        choices |= {"network": network_options(dtype, runtime, device)}
        choices |= {"engine": _engine(engine, workers)}
        carry_out = _dry_run if dry_run else _predict
        carry_out(bundle, selection, out, overwrite=overwrite, **choices)


def _ranks(ranks: bool, taxa: Path | None) -> Ranks:
    from finding_nemo.marine.taxa_file import read_taxa

    return ranks if taxa is None else read_taxa(taxa)


def _select(names: Sequence[str], every: str | None, **choices: Any) -> ImageSelection:
    from finding_nemo.prediction.sources.image_sources import ImageSelection, parse_interval

    with wrong_usage():
        every_s = None if every is None else parse_interval(every)
    return ImageSelection(tuple(names), every_s=every_s, **choices)


def _check_out(out: Path, overwrite: bool) -> None:
    """Check the file; an unfinished run is gone on with even where its file is there already."""
    from finding_nemo.core.files.output_checks import check_output_file
    from finding_nemo.results.chunk_store import ChunkStore

    is_begun = ChunkStore(out).folder.exists() if out.name else False
    check_output_file(out, overwrite=overwrite or is_begun)


def _choices(out: Path, file_format: str | None, shard: str) -> dict[str, Any]:
    from finding_nemo.prediction.run.chunked_run import parse_shard
    from finding_nemo.results.prediction_formats import choose_format

    with wrong_usage():
        return {"file_format": choose_format(out, file_format), "shard": parse_shard(shard)}


def network_options(dtype: str, runtime: str, device: str) -> InferenceOptions:
    """Return how a network is to be computed.

    Raises:
        typer.BadParameter: If there is no such device.
    """
    from finding_nemo.models.inference.open_bundle_network import InferenceOptions

    with wrong_usage():
        return InferenceOptions(check_dtype(dtype), check_runtime(runtime), check_device(device))


def _engine(name: str, workers: int | None) -> Engine:
    """Return what predicts; Ray is loaded only where it is asked for."""
    if name == "ray":
        from finding_nemo.cli.console.notices import reporter
        from finding_nemo.prediction.run.engine_ray import RayEngine

        return RayEngine(workers, reporter())
    if name != "local":
        raise typer.BadParameter("--engine must be local or ray.")
    from finding_nemo.prediction.run.engine_local import predict_here

    return predict_here


def _dry_run(
    bundle: Path,
    selection: ImageSelection,
    out: Path,
    *,
    overwrite: bool,
    engine: Engine,
    **choices: Any,
) -> None:
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.prediction.run.dry_run_prediction import dry_run_prediction
    from finding_nemo.prediction.run.engine_local import predict_here
    from finding_nemo.prediction.run.predict_to_file import run_spec

    if engine is not predict_here:
        reporter().message("--engine ray: the time below is that of this machine alone.")
    spec = run_spec(load_bundle(bundle), selection, out, **choices)
    print_dry_run(dry_run_prediction(spec, out, overwrite=overwrite, reporter=reporter()))


def _predict(bundle: Path, selection: ImageSelection, out: Path, **choices: Any) -> None:
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.prediction.run.predict_to_file import predict_to_file

    loaded = load_bundle(bundle)
    try:
        summary = predict_to_file(loaded, selection, out, reporter=reporter(), **choices)
    except KeyboardInterrupt:
        reporter().message("What is finished is kept; the same command goes on from here.")
        raise
    _tell(summary, out)


@contextmanager
def wrong_usage() -> Iterator[None]:
    """Turn an option that cannot be read into exit code 2."""
    from finding_nemo.core.errors import SettingsError

    try:
        yield
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from None


@contextmanager
def stdin_list(names: Sequence[str]) -> Iterator[Path | None]:
    """Yield a file with the lines of stdin if `-` is among `names`: they are read twice."""
    if "-" not in names:
        yield None
        return
    from finding_nemo.core.errors import DatasetError

    if sys.stdin is None:
        raise DatasetError(
            "- stands for a list on standard input, which is closed. Give the list, or name a file "
            "of it."
        )
    with NamedTemporaryFile(suffix=".txt") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)


def _tell(summary: PredictionSummary, out: Path) -> None:
    from finding_nemo.cli.console.notices import reporter

    for line in summary.first_failures:
        reporter().message(f"failed: {line}")
    failed = f", {summary.n_failed} of them failed" if summary.n_failed else ""
    print_result(f"{out}: {summary.n_images} images{failed}.")
    print_result(f"content sha256 {summary.content_sha256}")
    if not summary.n_images:  # of a shard alone: a run without any image is refused
        reporter().message(_EMPTY_SHARD)
    elif summary.n_failed == summary.n_images:
        reporter().message("No image could be used.")
        raise typer.Exit(1)
