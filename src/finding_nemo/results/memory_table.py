"""Predictions in memory as what reading a file of them gives: the same values to the last bit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.file_metadata import parse_metadata
from finding_nemo.results.reading.parquet_reader import read_rows
from finding_nemo.results.reading.readers import checked_table
from finding_nemo.results.schema import SCHEMA_VERSION, Columns, PredictionTable

# Where a message would name the file.
_IN_MEMORY = Path("predictions in memory")


def table_of_rows(rows: pa.Table, metadata: Mapping[str, Any]) -> PredictionTable:
    """Return rows with the columns of a predictions file as a table.

    Args:
        rows: From `to_table`.
        metadata: What a file of them would say beside them, JSON-ready.

    Raises:
        PredictionsError: If an image id stands twice.
    """
    content = json.dumps(metadata, ensure_ascii=False).encode()
    return checked_table(
        read_rows(rows, parse_metadata(content, _IN_MEMORY), _IN_MEMORY), _IN_MEMORY
    )


def table_of_predictions(
    predictions: Sequence[Prediction], usual_ids: Sequence[int]
) -> PredictionTable:
    """Return predictions as a table.

    Args:
        predictions: Of one bundle; those that no predictor made have the columns of `usual_ids`.
        usual_ids: Of the categories that are to be judged.

    Raises:
        PredictionsError: If there are none, they have columns of different categories, or an image
            id stands twice.
    """
    if not predictions:
        raise PredictionsError("There are no predictions: the list is empty.")
    origins = [row.origin for row in predictions]
    origin = next((origin for origin in origins if origin is not None), None)
    ids = tuple(usual_ids) if origin is None else origin.categories.ids
    for row in predictions:
        of_others = row.origin is not None and row.origin.categories.ids != ids
        probabilities = row.probabilities
        if of_others or (probabilities is not None and probabilities.shape != (len(ids),)):
            raise PredictionsError(
                f"The predictions are of different categories: {row.image_id!r} has other columns "
                f"than the {len(ids)} categories that the first are of. Evaluate the predictions "
                "of each bundle by themselves."
            )
    columns = Columns(n_categories=len(ids), with_time=True)
    metadata = {"schema_version": SCHEMA_VERSION} if origin is None else origin.metadata
    return table_of_rows(to_table(predictions, ids, columns), metadata)
