"""MAP@20 of the same predictions by three rankings, and without kin of what is there."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.evaluation.evaluation_results import AncestorScore, Measured
from finding_nemo.evaluation.evaluation_set import EvaluationSet
from finding_nemo.marine.taxonomy_table import TaxonomyTable
from finding_nemo.marine.tree_paths import ancestor_pairs, related_pairs
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval
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


def evaluate_ancestors(
    evaluation_set: EvaluationSet,
    prior: Float64s,
    *,
    names_file: Path | None = None,
    taxa: TaxonomyTable | None = None,
) -> AncestorScore:
    """Return MAP@20 with relatives of true categories passed over.

    A guess is passed over where its category is not labelled in the image and stands above or
    below one that is. The others move up; an image that could not be read counts 0.

    Args:
        evaluation_set: Predictions laid beside the truth.
        prior: Class frequency for each image, shape (images, categories).
        names_file: A table of names, which counts before that of the package.
        taxa: A tree in place of the package's.

    Raises:
        NamesError: If that table cannot be read.
    """
    truth = evaluation_set.truth
    names = evaluation_set.dataset.categories.names
    above = ancestor_pairs(names, names_file=names_file, table=taxa)
    passed_over = relatives_of_true(truth, related_pairs(above))
    found = average_precision_at_k(truth, evaluation_set.ranking, passed_over=passed_over)
    found = np.where(evaluation_set.failed & evaluation_set.truth_of_all, 0.0, found)
    interval = dive_bootstrap_interval(found, evaluation_set.dives)
    by_prior = average_precision_at_k(truth, prior, passed_over=passed_over)
    return AncestorScore(
        n_pairs=int(above.sum()),
        n_images=int(passed_over.any(axis=1).sum()),
        map_at_20=Measured(float(np.nanmean(found)), interval.low, interval.high),
        prior=float(np.nanmean(by_prior)),
    )


def relatives_of_true(truth: Bools, related: Bools) -> Bools:
    """Return the categories that are not true but related to one that is, shape as `truth`.

    Args:
        truth: Shape (images, categories).
        related: Whether two categories are, shape (categories, categories).
    """
    near = truth.astype(np.float32) @ related.astype(np.float32) > 0
    return np.asarray(near & ~truth, dtype=np.bool_)
