"""Predict parts in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from finding_nemo.prediction.predictor import Predictor, counted
from finding_nemo.prediction.run.chunked_run import ChunkRows, ChunkWork
from finding_nemo.prediction.sources.image_loader import start_decoding_ahead
from finding_nemo.results.columns import to_table


def predict_here(work: ChunkWork, chunks: Sequence[int]) -> Iterator[ChunkRows]:
    """Yield the rows of each of `chunks`, in order, with all cores of this machine."""
    for first in islice(work.plan.chunk(chunks[0]) if chunks else (), 1):
        start_decoding_ahead(first, sum(work.size.rows_in(chunk) for chunk in chunks))
    yield from predict_chunks(work, chunks, predictor_for(work))


def predictor_for(work: ChunkWork, *, threads: int | None = None) -> Predictor:
    """Return what predicts the parts of `work`; its network is loaded once, when first used.

    Args:
        work: What to predict.
        threads: How many threads to use; `None`: one a core.
    """
    predictor = Predictor(
        work.bundle,
        with_embedding=work.columns.n_features > 0,
        precision=work.precision,
        ranks=work.ranks,
        threads=threads,
        network=work.network,
        limits=work.limits,
        with_maps=work.columns.map_grid is not None,
    )
    if work.postprocessor is not None:
        predictor.postprocessor = work.postprocessor
    return predictor


def predict_chunks(
    work: ChunkWork, chunks: Sequence[int], predictor: Predictor
) -> Iterator[ChunkRows]:
    """Yield the rows of each of `chunks`, in order.

    Parts follow each other without a pause: while the last images of one are in the network,
    the first of the next are being decoded. A part holds whole batches, so its rows do not
    depend on which parts are predicted with it.

    Args:
        work: What to predict.
        chunks: Which of its parts.
        predictor: From `predictor_for`.
    """
    inputs = (image for chunk in chunks for image in work.plan.chunk(chunk))
    n_images = sum(work.size.rows_in(chunk) for chunk in chunks)
    predictions = counted(predictor.predict_inputs(inputs), n_images, work.progress)
    for chunk in chunks:
        rows = list(islice(predictions, work.size.rows_in(chunk)))
        yield chunk, to_table(rows, work.bundle.categories.ids, work.columns)
