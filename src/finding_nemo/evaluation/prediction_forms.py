"""The forms that predictions to be judged come in: a file, a table, a stream, a list."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from finding_nemo.core.records import Dataset, Prediction
from finding_nemo.core.text.wrong_argument import wrong_argument
from finding_nemo.results.memory_table import table_of_predictions
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import PredictionTable


@runtime_checkable
class GivesTable(Protocol):
    """A stream of predictions, which can make a table of what is left of it."""

    def to_table(self) -> PredictionTable:
        """Return the predictions that are left."""
        ...


AnyPredictions = PredictionTable | GivesTable | Iterable[Prediction] | str | Path

_TAKES = (
    "a stream of predictions, predictions in a list, a table from read_predictions, or the path of "
    "a predictions file (str or Path)"
)


def as_prediction_table(predictions: object, dataset: Dataset) -> PredictionTable:
    """Return predictions of any form as a table.

    Args:
        predictions: In one of the forms of `AnyPredictions`.
        dataset: Whose categories are meant where predictions name none.

    Raises:
        ArgumentError: If they are of another form.
        PredictionsError: If they cannot be read, or are of different bundles.
    """
    if isinstance(predictions, PredictionTable):
        return predictions
    if isinstance(predictions, str | os.PathLike):
        return read_predictions(Path(predictions))
    if isinstance(predictions, GivesTable):
        return predictions.to_table()
    is_text = isinstance(predictions, bytes | Mapping | Dataset)
    if is_text or not isinstance(predictions, Iterable):
        raise wrong_argument("evaluate()", _TAKES, predictions)
    rows = list(predictions)
    for row in rows:
        if not isinstance(row, Prediction):
            raise wrong_argument("evaluate()", _TAKES, row)
    return table_of_predictions(rows, dataset.categories.ids)
