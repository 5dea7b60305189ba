"""Predictions into the plain values of a file's row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from finding_nemo.core.records import Prediction
from finding_nemo.results.reading_columns import NOTHING_READ, reading_values
from finding_nemo.results.schema import TOP_K
from finding_nemo.scoring.ranking import rank_columns


def to_rows(
    predictions: Sequence[Prediction], category_ids: Sequence[int], *, with_vector: bool
) -> list[dict[str, Any]]:
    """Return one dict a prediction, its keys the columns of the file."""
    ids = np.asarray(category_ids, dtype=np.int64)
    return [_row(prediction, ids, with_vector) for prediction in predictions]


def _row(prediction: Prediction, ids: np.ndarray, with_vector: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "image_id": prediction.image_id,
        "path": prediction.path,
        "width": prediction.width,
        "height": prediction.height,
        "failure": prediction.failure,
        "categories": None,
        "probabilities": None,
        "novelty": prediction.novelty,
        **NOTHING_READ,
    }
    if with_vector:
        row["vector"] = prediction.probabilities
    if prediction.probabilities is not None:
        best = rank_columns(prediction.probabilities[np.newaxis], k=TOP_K)[0]
        row["categories"] = ids[best].tolist()
        row["probabilities"] = prediction.probabilities[best].tolist()
        row |= reading_values(prediction.reading, best)
    return row
