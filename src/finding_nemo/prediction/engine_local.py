"""Predict parts on this machine, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from finding_nemo.prediction.predictor import Predictor, counted
from finding_nemo.prediction.run import PartRows, Work
from finding_nemo.results.rows import to_table


def predict_here(work: Work, parts: Sequence[int]) -> Iterator[PartRows]:
    """Yield the rows of each of `parts`, in order.

    Parts follow each other without a pause: while the last images of one are in the network,
    the first of the next are being decoded.
    """
    plan, size = work.plan(), work.size
    inputs = (image for part in parts for image in plan.part(part))
    predictor = Predictor(work.bundle, with_embedding=work.columns.n_features > 0)
    n_missing = sum(size.rows_in(part) for part in parts)
    predictions = counted(predictor.predict_inputs(inputs), n_missing, work.move)
    for part in parts:
        rows = list(islice(predictions, size.rows_in(part)))
        yield part, to_table(rows, work.bundle.categories.ids, work.columns)
