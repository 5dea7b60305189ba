"""What a prediction run would do and cost, measured on a few of its images; nothing is written."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.files.locking import refuse_held
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.reporter import Reporter, time_in_words
from finding_nemo.core.text.estimates import (
    DryRun,
    Estimate,
    peak_memory,
    size_in_words,
)
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.run.chunked_run import none_replaced, unfinished_run
from finding_nemo.prediction.run.predict_to_file import RunSpec, columns_of
from finding_nemo.prediction.run.run_plan import ROWS_IN_CHUNK, Plan, PlanSize
from finding_nemo.prediction.sources.image_sources import ImageInput, ImageSelection
from finding_nemo.results.chunk_store import ChunkStore
from finding_nemo.results.columns import to_table
from finding_nemo.results.prediction_formats import FORMATS
from finding_nemo.results.schema import parquet_options
from finding_nemo.results.writers import json_line

# Enough for every core to have some, few enough to take a second.
_SAMPLE = 32
# So that threads share the sample; on a CPU it changes no number.
_BATCH = 4


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be predicted: how many images of how many, and some of them."""

    n_images: int
    n_listed: int
    sample: Sequence[ImageInput]
    has_frames: bool


def dry_run_prediction(spec: RunSpec, out: Path, *, overwrite: bool, reporter: Reporter) -> DryRun:
    """Return what `predict_to_file` would do, or refuse what it would refuse.

    Images are listed, and some 32 of them are opened and predicted to measure what one costs.

    Args:
        spec: From `run_spec`.
        out: The file that would be written.
        overwrite: As the run would be told.
        reporter: Told what a listing passes over, and what computes the network.

    Raises:
        OutputExistsError: If `out` exists and `overwrite` is false.
        OtherRunError: If an unfinished run of another command is there and `overwrite` is false,
            or another process is writing `out`.
        OutputError: If `out` is a file that is read.
        DatasetError: If names stand for no image at all.
    """
    store = ChunkStore(out)
    refuse_held(store.lock_path, f"is writing {out}")
    request = spec.request()
    if store.finished(request) is not None:
        return DryRun((f"move the finished predictions to {out}; nothing is left to predict",), ())
    reporter.activity("listing the images")
    work = _work(spec, store, request, overwrite=overwrite, reporter=reporter)
    if request["network"] is not None:
        words = "network: {runtime} on {device} in {dtype}: {reason}."
        reporter.message(words.format(**request["network"]))
    return _measured(spec, work, out, request, reporter)


def _work(
    spec: RunSpec,
    store: ChunkStore,
    request: dict[str, Any],
    *,
    overwrite: bool,
    reporter: Reporter,
) -> _Work:
    found = unfinished_run(store, request, overwrite=overwrite, reporter=reporter)
    if found is not None:
        size = PlanSize(**found["plan"])
        chunks = spec.shard.chunks(size.n_chunks)
        missing = store.missing(chunks)
        # Where all are done, what is measured is the rows alone.
        some = [*missing, *chunks][:1]
        sample = Plan(store.plan_path).chunk(some[0])[:_SAMPLE] if some else []
        return _Work(_rows(size, missing), _rows(size, chunks), sample, size.has_frames)
    images: Iterable[ImageInput] = (
        spec.inputs.stream(reporter) if isinstance(spec.inputs, ImageSelection) else spec.inputs
    )
    n_images, has_frames, sample = _sampled(none_replaced(images, store.out))
    size = PlanSize(n_images, "", has_frames)
    n_own = _rows(size, spec.shard.chunks(size.n_chunks))
    return _Work(n_own, n_own, sample, has_frames)


def _rows(size: PlanSize, chunks: Iterable[int]) -> int:
    return sum(size.rows_in(chunk) for chunk in chunks)


def _sampled(images: Iterable[ImageInput]) -> tuple[int, bool, list[ImageInput]]:
    """Return how many images there are, whether some are of videos, and some in their order.

    Source:
        Vitter, "Random Sampling with a Reservoir", ACM TOMS 1985 (algorithm R).
    """
    draw = random.Random(0)  # noqa: S311 - which images are measured is no secret
    kept: list[tuple[int, ImageInput]] = []
    n_images, has_frames = 0, False
    for position, image in enumerate(images):
        n_images += 1
        has_frames |= image.time_s is not None
        if len(kept) < _SAMPLE:
            kept.append((position, image))
        elif (slot := draw.randrange(n_images)) < _SAMPLE:
            kept[slot] = position, image
    return n_images, has_frames, [image for _, image in sorted(kept, key=lambda pair: pair[0])]


def _measured(
    spec: RunSpec, work: _Work, out: Path, request: dict[str, Any], reporter: Reporter
) -> DryRun:
    predictor = Predictor(
        spec.bundle,
        with_embedding=request["embeddings"],
        precision=spec.precision,
        ranks=spec.ranks,
        network=spec.network,
        limits=spec.limits,
    )
    reporter.activity(f"predicting {len(work.sample)} of the images to measure what one costs")
    began = time.perf_counter()
    first = list(predictor.predict_inputs(work.sample[:1]))
    started = time.perf_counter()
    rows = list(predictor.predict_inputs(work.sample, batch_size=_BATCH))
    ended = time.perf_counter()
    del first
    n_failed = sum(row.failure is not None for row in rows)
    per_image_s = (ended - started) / max(len(rows), 1)
    columns = columns_of(spec, request, has_frames=work.has_frames, predictor=predictor)
    category_ids = [c.category_id for c in spec.bundle.categories.categories]
    table = to_table(rows, category_ids, columns) if rows else columns.schema().empty_table()
    per_row = bytes_per_row(table, spec.file_format)
    work_words = [
        f"predict {work.n_images:,} images with {spec.bundle.path} into {out} ({spec.file_format})"
    ]
    if work.n_images < work.n_listed:
        work_words.append(
            f"go on with an unfinished run: {work.n_listed - work.n_images:,} of "
            f"{work.n_listed:,} images are done already"
        )
    failed = f"; {n_failed} of them cannot be used" if n_failed else ""
    measured = f"measured just now on {len(rows)} of these images"
    total_s = (started - began) + work.n_images * per_image_s
    memory = peak_memory()
    return DryRun(
        tuple(work_words),
        (
            Estimate(
                "time",
                f"about {time_in_words(total_s)}",
                f"{1000 * per_image_s:.1f} ms an image on {usable_cores()} cores as busy as they "
                f"are, {measured}{failed}",
            ),
            Estimate(
                "disk",
                f"about {size_in_words(work.n_listed * per_row)}, and as much again until the end",
                f"{per_row:,.0f} bytes a row, {measured}; a finished part of "
                f"{ROWS_IN_CHUNK} images waits beside the file until all are put together",
            ),
            Estimate(
                "memory",
                "not known" if memory is None else f"about {size_in_words(memory)}",
                "this system does not say"
                if memory is None
                else "the most that this program has held while it did the same; it does not grow "
                "with the number of images",
            ),
        ),
    )


def bytes_per_row(rows: pa.Table, file_format: str) -> float:
    """Return about how many bytes a row of `rows` takes in a file of the format."""
    if not len(rows):
        return 0.0
    if file_format == "parquet":
        return (_parquet_bytes(rows) - _parquet_bytes(rows.slice(0, 0))) / len(rows)
    if not FORMATS[file_format].keeps_lists:
        kept = [name for name in rows.schema.names if name not in ("vector", "embedding")]
        rows = rows.select(
            ["image_id", "categories", "novelty"] if file_format == "submission" else kept
        )
    return sum(len(json_line(row).encode()) for row in rows.to_pylist()) / len(rows)


def _parquet_bytes(rows: pa.Table) -> int:
    stream = pa.BufferOutputStream()
    pq.write_table(rows, stream, **parquet_options(rows.schema))
    return int(stream.getvalue().size)
