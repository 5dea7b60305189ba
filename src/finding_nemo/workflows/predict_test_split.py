"""A trained bundle used on the test part of a split, from its image files."""

from __future__ import annotations

from pathlib import Path

from finding_nemo.core.records import Dataset, Split
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import input_of_record
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import PredictionTable


def predict_test_part(
    bundle: Bundle, dataset: Dataset, split: Split, folder: Path
) -> PredictionTable:
    """Predict every image of the part `test` into `folder`/predictions.parquet and read it.

    What an earlier, stopped run left there is replaced.
    """
    out = folder / "predictions.parquet"
    inputs = [input_of_record(dataset.by_id[image_id]) for image_id in split.ids_in("test")]
    predict_to_file(bundle, inputs, out, overwrite=True)
    return read_predictions(out)
