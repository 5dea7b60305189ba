"""Predictions and truth into scores, never without the trivial baselines beside them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.evaluation.evaluate_uncertainty import judge_trust
from finding_nemo.evaluation.evaluation_results import (
    Evaluation,
    JudgedImage,
    Measured,
    MethodScore,
    NoveltyScore,
)
from finding_nemo.evaluation.evaluation_set import Judged, lay_beside
from finding_nemo.evaluation.per_category import (
    Evidence,
    score_categories,
    score_supercategories,
    score_thirds,
    training_evidence,
    validation_aps,
)
from finding_nemo.evaluation.pictures import Pictures
from finding_nemo.metrics.average_precision import macro_average_precision
from finding_nemo.metrics.baselines import frame_key, prior_scores, time_copy_scores
from finding_nemo.metrics.bootstrap import (
    dive_bootstrap_interval,
    dive_mean_interval,
    mean_over_dives,
    paired_dive_bootstrap,
)
from finding_nemo.metrics.leakage import Leakage, measure_leakage
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.metrics.roc_auc import area_under_roc, competition_score
from finding_nemo.metrics.thresholded import scores_at_threshold
from finding_nemo.results.schema import PredictionTable

Scores = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]


def evaluate(
    predictions: PredictionTable,
    dataset: Dataset,
    *,
    split: Split | None = None,
    part: str | None = None,
) -> Evaluation:
    """Compare predictions with a data set's annotations.

    An image without a true category is left out and counted. An image that could not be read
    counts 0. Intervals are 95 %, by dive.

    Args:
        predictions: From `read_predictions`.
        dataset: Holds the truth.
        split: Says what the model may have learnt from.
        part: The part to judge, with `split`.

    Raises:
        PredictionsError: If nothing can be judged, or the category tables differ.
        SplitError: If the split has no such part.
    """
    judged = _judged(predictions, dataset, split, part)
    evidence = training_evidence(judged, predictions.metadata)
    prior, prior_source = _prior(judged, evidence)
    per_image, by_prior = _by_model(judged), _per_image(judged, prior)
    categories = score_categories(judged, evidence, validation_aps(predictions.metadata))
    novel = _holds_untrained(judged, evidence)
    return Evaluation(
        model=_method("model", judged, judged.scores, per_image),
        prior=_method("prior", judged, prior, by_prior),
        time_copy=_time_copy(judged),
        gain=_gain(judged, per_image, by_prior),
        prior_source=prior_source,
        n_images=int(judged.judged_truth.sum()),
        n_dives=len(set(np.array(judged.dives)[judged.judged_truth])),
        n_empty=int((~judged.judged_truth).sum()),
        n_failed=int(judged.failed.sum()),
        categories=categories,
        supercategories=score_supercategories(judged, categories),
        thirds=score_thirds(judged, categories),
        at_half=scores_at_threshold(judged.truth, judged.scores),
        leakage=_leakage(judged),
        novelty=_novelty(judged, predictions, novel, float(np.nanmean(per_image))),
        trust=None if judged.failed.all() else judge_trust(judged, predictions, novel),
        images=_images(judged, predictions, per_image),
        notices=judged.notices,
        story=predictions.metadata,
    )


def _judged(
    predictions: PredictionTable, dataset: Dataset, split: Split | None, part: str | None
) -> Judged:
    judged = lay_beside(predictions, dataset, split=split, part=part)
    if not judged.judged_truth.any():
        raise PredictionsError("No judged image holds a category: there is nothing to score.")
    return judged


def _by_model(judged: Judged) -> Scores:
    found = _per_image(judged, judged.scores)
    return np.where(judged.failed & judged.judged_truth, 0.0, found)


def _prior(judged: Judged, evidence: Evidence | None) -> tuple[Scores, str]:
    """Return class frequency for each judged image, and where it is from."""
    frequency, source = _frequency(judged, evidence)
    return np.tile(frequency, (len(judged.records), 1)), source


def _frequency(judged: Judged, evidence: Evidence | None) -> tuple[Scores, str]:
    if judged.train:
        return prior_scores(judged.dataset.truth(judged.train)), "the split's training part"
    if evidence is not None:
        counts = [evidence.get(number, (0, 0))[0] for number in judged.dataset.categories.ids]
        return np.array(counts, dtype=np.float64), "the training images that the bundle names"
    return prior_scores(judged.truth), "the judged images themselves (flatters the prior)"


def _per_image(judged: Judged, scores: Scores) -> Scores:
    return average_precision_at_k(judged.truth, scores)


def _method(name: str, judged: Judged, scores: Scores, per_image: Scores) -> MethodScore:
    image_interval = dive_bootstrap_interval(per_image, judged.dives)
    dive_interval = dive_mean_interval(per_image, judged.dives)
    by_dive = mean_over_dives(per_image, judged.dives)
    return MethodScore(
        name=name,
        map_at_20=Measured(float(np.nanmean(per_image)), image_interval.low, image_interval.high),
        map_at_20_by_dive=Measured(by_dive, dive_interval.low, dive_interval.high),
        macro_ap=macro_average_precision(judged.truth, scores),
    )


def _time_copy(judged: Judged) -> MethodScore | None:
    if not judged.train:
        return None
    scores = time_copy_scores(
        [frame_key(record) for record in judged.train],
        judged.dataset.truth(judged.train),
        [frame_key(record) for record in judged.records],
    )
    return _method("time-copy", judged, scores, _per_image(judged, scores))


def _gain(judged: Judged, model: Scores, prior: Scores) -> Measured:
    paired = paired_dive_bootstrap(model, prior, judged.dives)
    return Measured(paired.mean, paired.interval.low, paired.interval.high)


def _leakage(judged: Judged) -> Leakage | None:
    if not judged.train:
        return None
    return measure_leakage(
        [frame_key(record) for record in judged.train],
        [frame_key(record) for record in judged.records],
    )


def _novelty(
    judged: Judged, predictions: PredictionTable, holds_untrained: Truth, map_at_20: float
) -> NoveltyScore | None:
    """Score novelty where some judged images, and not all, hold an untrained category."""
    novelty = predictions.novelty[judged.rows]
    usable = ~np.isnan(novelty)
    novel = holds_untrained[usable]
    if not novel.any() or novel.all():
        return None
    auc = area_under_roc(novel, novelty[usable])
    return NoveltyScore(
        n_novel=int(novel.sum()),
        auc=auc,
        scaled_auc=2 * auc - 1,
        competition_score=competition_score(map_at_20, auc),
    )


def _holds_untrained(judged: Judged, evidence: Mapping[int, tuple[int, int]] | None) -> Truth:
    ids = judged.dataset.categories.ids
    untrained = [evidence is not None and evidence.get(n, (0, 0))[0] == 0 for n in ids]
    return np.asarray(judged.truth[:, untrained].any(axis=1))


def _images(
    judged: Judged, predictions: PredictionTable, per_image: Scores
) -> tuple[JudgedImage, ...]:
    reading = predictions.reading
    pictures = Pictures(judged.dataset)
    return tuple(
        JudgedImage(
            image_id=record.image_id,
            path=pictures.path_of(record, predictions.paths[row]),
            dive=record.dive or "",
            true_ids=record.category_ids or (),
            ranked_ids=predictions.ranked_ids[row],
            probabilities=predictions.ranked_probabilities[row],
            average_precision=float(score),
            failure=predictions.failures[row],
            unusualness=float(reading.unusualness[row]) if reading else float("nan"),
            said=reading.said[row] if reading else "",
            is_outside=pictures.is_outside(record, predictions.paths[row]),
        )
        for record, row, score in zip(judged.records, judged.rows, per_image, strict=True)
    )
