"""MAP@20 on unseen dives by each way to rank, over the folds of one recipe.

    python benchmarks/rankings.py DATASET FOLD0 PREDICTIONS0 FOLD1 PREDICTIONS1 ...

A fold is a run folder with its bundle; its predictions hold every probability (Parquet) of images
that neither its training nor its calibration saw. The logits are worked back from them.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from finding_nemo import read_dataset
from finding_nemo.core.arrays import Float64s
from finding_nemo.core.records import Dataset
from finding_nemo.evaluation.evaluate_rankings import own_logits
from finding_nemo.metrics.calibration_error import measure_reliability
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.models.bundle.bundle import Bundle, load_bundle
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_of
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.uncertainty.calibration import (
    Frequency,
    fit_frequency_line,
    training_frequency,
)
from finding_nemo.uncertainty.logistic import sigmoid
from finding_nemo.uncertainty.opinion_pool import OpinionPool

WAYS = ((0.0, 0.1), (0.6, 0.0), (0.6, 0.1), (1.0, 0.1))


def frequency_in(bundle: Bundle) -> Frequency:
    """Return how often each category was in the training images of a bundle."""
    entries = bundle.manifest.categories
    return training_frequency(
        np.array([entry.n_images for entry in entries]),
        np.array([entry.n_dives for entry in entries]),
        [entry.supercategory for entry in entries],
        n_train=bundle.manifest.split.parts["train"].n_images,
    )


def rank_fold(bundle: Bundle, probabilities: Float64s) -> dict[str, Float64s]:
    """Return the scores of each way to rank, from the probabilities of unseen dives."""
    uncertainty, frequency = uncertainty_of(bundle), frequency_in(bundle)
    if uncertainty.calibration is None or uncertainty.validation is None:
        raise SystemExit(f"{bundle.path} holds no calibration, or no validation images.")
    line = fit_frequency_line(uncertainty.validation, frequency)
    own = own_logits(probabilities, uncertainty.calibration)
    logits = np.where(np.isfinite(own), own, 0.0)
    calibration = line.calibration(frequency)
    scores = {
        "own": own,
        "calibrated, as the file is": probabilities,
        "calibrated, share of frequency >= 0": calibration(logits),
    }
    for pull, weight in WAYS:
        pulled = line.offset + pull * line.share * frequency.logits
        pool = OpinionPool(
            offset=np.where(frequency.seen, pulled, frequency.logits),
            slope=calibration.slope,
            frequency=sigmoid(frequency.logits),
            weight=weight,
        )
        scores[f"{pull:g} of the pull + {weight:g} x frequency"] = pool(logits)
    return scores


def main(dataset: Dataset, folds: list[tuple[Path, Path]]) -> None:
    """Print one line a way: MAP@20 over all images, and of each fold."""
    precisions: dict[str, list[Float64s]] = defaultdict(list)
    errors: dict[str, list[float]] = defaultdict(list)
    for run, predictions in folds:
        bundle, table = load_bundle(run), read_predictions(predictions)
        records = [dataset.by_id[image_id] for image_id in table.image_ids]
        truth = dataset.truth(records)
        probabilities = table.probabilities_in(dataset.categories.ids)
        for way, scores in rank_fold(bundle, probabilities).items():
            precisions[way].append(average_precision_at_k(truth, scores))
            if way.startswith("calibrated"):
                errors[way].append(measure_reliability(truth, scores).ece)
    for way, found in precisions.items():
        each = " ".join(f"{np.nanmean(fold):.3f}" for fold in found)
        error = f"  error, mean of folds {np.mean(errors[way]):.4f}" if errors[way] else ""
        print(f"{way:38} {np.nanmean(np.concatenate(found)):.4f}  ({each}){error}")


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[2:]]
    main(read_dataset(Path(sys.argv[1])), list(zip(paths[::2], paths[1::2], strict=True)))
