"""MAP@20 of the same predictions by three rankings: the network's own, by probability, as shown."""

from __future__ import annotations

import math

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.evaluation.evaluation_set import EvaluationSet
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.results.schema import PredictionTable
from finding_nemo.uncertainty.calibration import LogitCalibration


def evaluate_rankings(
    evaluation_set: EvaluationSet, predictions: PredictionTable, shown: float
) -> RankingScores:
    """Return the scores that the file lets one know.

    The network's own ranking is worked back from calibrated probabilities, which needs the whole
    vector; categories that training never saw come last in it, for the file holds no output of
    theirs. Of validation images, whose outputs are kept, that ranking scores the same in all four
    digits.

    Args:
        evaluation_set: Predictions laid beside the truth.
        predictions: The same, with what the file says of itself.
        shown: MAP@20 of the ranking that the file shows.
    """
    ids = evaluation_set.dataset.categories.ids
    calibration = predictions.metadata.get("calibration")
    # What opens no image names none; a file of the best categories alone ranks no others.
    is_known = "calibration" in predictions.metadata and predictions.vector is not None
    if not is_known or predictions.category_ids != ids:
        return RankingScores(shown=shown)
    by_probability = _map_at_20(evaluation_set, evaluation_set.scores)
    if not calibration:
        return RankingScores(own=by_probability, shown=shown)
    own = own_logits(evaluation_set.scores, LogitCalibration.of(calibration))
    return RankingScores(
        own=_map_at_20(evaluation_set, own), calibrated=by_probability, shown=shown
    )


def own_logits(probabilities: Float64s, calibration: LogitCalibration) -> Float64s:
    """Return the network's logits of calibrated `probabilities`, -inf where they are not known."""
    logits = calibration.undo_to_logits(probabilities)
    return np.where(calibration.slope > 0, logits, -math.inf)


def _map_at_20(evaluation_set: EvaluationSet, scores: Float64s) -> float:
    """Return the mean over images with a true category; one that could not be read counts 0."""
    truth: Bools = evaluation_set.truth
    per_image = average_precision_at_k(truth, scores)
    failed = evaluation_set.failed & evaluation_set.truth_of_all
    return float(np.nanmean(np.where(failed, 0.0, per_image)))
