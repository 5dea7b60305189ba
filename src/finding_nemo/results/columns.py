"""Predictions into the columns of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.records import Prediction
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.results.reading.answer_columns import LOOK_FIRST, answer_values
from finding_nemo.results.reading.assessment_columns import NO_ASSESSMENT, assessment_values
from finding_nemo.results.schema import TOP_K, Columns


def to_table(
    predictions: Sequence[Prediction], category_ids: Sequence[int], columns: Columns
) -> pa.Table:
    """Return one row a prediction, in order."""
    schema = columns.schema()
    values = _plain_columns(predictions) | _ranked_columns(
        predictions, category_ids, columns.category_names
    )
    if columns.with_vector:
        values["vector"] = _matrix(predictions, lambda row: row.probabilities, schema, "vector")
    if columns.n_features:
        values["embedding"] = _matrix(predictions, lambda row: row.embedding, schema, "embedding")
    if columns.map_grid:
        values["maps"] = [None if row.maps is None else row.maps.reshape(-1) for row in predictions]
    arrays = [pa.array(values[field.name], type=field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain_columns(predictions: Sequence[Prediction]) -> dict[str, list[object] | pa.Array]:
    names = ("image_id", "path", "time_s", "dive", "captured", "width", "height", "failure")
    plain = {name: [getattr(row, name) for row in predictions] for name in (*names, "novelty")}
    answers = [answer_values(row.answer) for row in predictions]
    of_answers = {name: [row[name] for row in answers] for name in answer_values(None)}
    return {**plain, **of_answers, LOOK_FIRST.name: [None] * len(predictions)}


def _ranked_columns(
    predictions: Sequence[Prediction], category_ids: Sequence[int], category_names: Sequence[str]
) -> dict[str, list[object] | pa.Array]:
    known = [row.probabilities for row in predictions if row.probabilities is not None]
    categories: list[object] = [None] * len(predictions)
    probabilities: list[object] = [None] * len(predictions)
    names: list[object] = [None] * len(predictions)
    texts = np.asarray(category_names, dtype=np.object_)
    read: list[Mapping[str, object]] = [NO_ASSESSMENT] * len(predictions)
    if known:
        stacked = np.stack(known)
        best = rank_columns(_ranking_scores(predictions), k=TOP_K)
        ids = np.asarray(category_ids, dtype=np.int32)[best]
        values = np.take_along_axis(stacked, best, axis=1)
        positions = [i for i, row in enumerate(predictions) if row.probabilities is not None]
        for position, columns, row_ids, row_values in zip(
            positions, best, ids, values, strict=True
        ):
            categories[position], probabilities[position] = row_ids, row_values
            names[position] = texts[columns].tolist() if len(texts) else None
            read[position] = assessment_values(predictions[position].assessment, columns)
    of_reading = {name: [row[name] for row in read] for name in NO_ASSESSMENT}
    guesses = {"categories": categories, "names": names, "probabilities": probabilities}
    return {**guesses, **of_reading}


def _ranking_scores(predictions: Sequence[Prediction]) -> Float32s:
    """Return what the categories of each usable image are ranked by."""
    scores = [row.order_scores for row in predictions if row.probabilities is not None]
    return np.stack([row for row in scores if row is not None])


def _matrix(
    predictions: Sequence[Prediction],
    values_of: Callable[[Prediction], Float32s | None],
    schema: pa.Schema,
    name: str,
) -> pa.Array:
    """Return rows of one length as a fixed-size list; a missing one is null, its values 0."""
    width = schema.field(name).type.list_size
    rows = [values_of(row) for row in predictions]
    flat = np.zeros((len(rows), width), dtype=np.float32)
    for position, row in enumerate(rows):
        if row is not None:
            flat[position] = row
    missing = pa.array([row is None for row in rows])
    return pa.FixedSizeListArray.from_arrays(flat.reshape(-1), width, mask=missing)
