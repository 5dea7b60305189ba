"""What each epoch is judged by beside its validation loss: training images, and three rankings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from finding_nemo.core.arrays import Float32s
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.models.bundle.uncertainty_tensors import thinned_rows
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.examples.examples import Examples
from finding_nemo.training.examples.partition import Partition, category_evidence
from finding_nemo.training.packaging.fit_uncertainty import as_logits, frequency_of
from finding_nemo.uncertainty.calibration import ValidationView, fit_frequency_line
from finding_nemo.uncertainty.opinion_pool import OpinionPool

# A forward pass takes 0.15 to 0.27 of a step (measured on a processor): 2 to 3.5 % of a training.
_ONE_IN = 8
_FEWEST, _MOST = 200, 2_000
# Three numbers are fitted to them after each epoch; more images would not make them better.
MOST_FITTED: Final = 2_000


def n_sampled(n_images: int) -> int:
    """Return how many of `n_images` training images are judged after each epoch."""
    return min(n_images, _MOST, max(_FEWEST, n_images // _ONE_IN))


def sample_training_part(train: CachedInputs, partition: Partition) -> Examples:
    """Return a random sample of the training images, the same ones in every run, with truth."""
    kept = thinned_rows(len(train.rows), n_sampled(len(train.rows)))
    rows = CachedRows(train.rows.shards, train.rows.locations[kept])
    truth = partition.dataset.truth([train.records[row] for row in kept])
    return Examples(rows, truth.astype(np.float32))


def rankings_judge(
    train: CachedInputs, val: CachedInputs, partition: Partition, *, activation: str
) -> Callable[[Float32s], RankingScores]:
    """Return what gives MAP@20 of validation images by two rankings, from the network's outputs.

    Calibration and ranking are fitted as a bundle of that epoch would have them. An image without
    a true category counts 0, as in the score that chooses the epoch.
    """
    evidence = category_evidence(replace(partition, train=train.records))
    frequency = frequency_of(evidence, len(train.records))
    truth = partition.dataset.truth(val.records)
    kept = thinned_rows(len(truth), MOST_FITTED)

    def score_outputs(outputs: Float32s) -> RankingScores:
        if not truth.any():
            return RankingScores()
        logits = as_logits(outputs, activation)
        line = fit_frequency_line(ValidationView(logits[kept], truth[kept], ()), frequency)
        return RankingScores(
            calibrated=map_at_k(truth, line.calibration(frequency)(logits)),
            shown=map_at_k(truth, OpinionPool.of_line(line, frequency)(logits)),
        )

    return score_outputs
