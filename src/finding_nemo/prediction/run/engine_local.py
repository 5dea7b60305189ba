"""Predict parts in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from finding_nemo.prediction.predictor import Predictor, counted
from finding_nemo.prediction.run.chunked_run import PartRows, Work
from finding_nemo.results.columns import to_table


def predict_here(work: Work, parts: Sequence[int]) -> Iterator[PartRows]:
    """Yield the rows of each of `parts`, in order, with all cores of this machine."""
    yield from predict_parts(work, parts, predictor_for(work))


def predictor_for(work: Work, *, threads: int | None = None) -> Predictor:
    """Return what predicts the parts of `work`; its network is loaded once, when first used.

    Args:
        work: What to predict.
        threads: How many threads to use; `None`: one a core.
    """
    return Predictor(
        work.bundle,
        with_embedding=work.columns.n_features > 0,
        precision=work.precision,
        threads=threads,
        network=work.network,
        limits=work.limits,
    )


def predict_parts(work: Work, parts: Sequence[int], predictor: Predictor) -> Iterator[PartRows]:
    """Yield the rows of each of `parts`, in order.

    Parts follow each other without a pause: while the last images of one are in the network,
    the first of the next are being decoded. A part holds whole batches, so its rows do not
    depend on which parts are predicted with it.

    Args:
        work: What to predict.
        parts: Which of its parts.
        predictor: From `predictor_for`.
    """
    inputs = (image for part in parts for image in work.plan.part(part))
    n_images = sum(work.size.rows_in(part) for part in parts)
    predictions = counted(predictor.predict_inputs(inputs), n_images, work.move)
    for part in parts:
        rows = list(islice(predictions, work.size.rows_in(part)))
        yield part, to_table(rows, work.bundle.categories.ids, work.columns)
