"""Predictions and truth into scores, never without the trivial baselines beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.text.wrong_argument import check_argument
from finding_nemo.evaluation.dataset.trained_frames import warned_of_trained_frames
from finding_nemo.evaluation.evaluate_answers import evaluate_answers, unknown_taxa_notice
from finding_nemo.evaluation.evaluate_rankings import evaluate_ancestors, evaluate_rankings
from finding_nemo.evaluation.evaluate_uncertainty import evaluate_uncertainty
from finding_nemo.evaluation.evaluation_results import (
    EvaluatedImage,
    Evaluation,
    Measured,
    MethodScore,
    NoveltyScore,
)
from finding_nemo.evaluation.evaluation_set import EvaluationSet, Pictures, align_with_truth
from finding_nemo.evaluation.per_category import (
    Evidence,
    score_categories,
    score_supercategories,
    score_thirds,
    training_evidence,
    validation_aps,
)
from finding_nemo.evaluation.prediction_forms import AnyPredictions, as_prediction_table
from finding_nemo.marine.taxonomy_table import TaxonomyTable
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
from finding_nemo.metrics.roc_auc import competition_score, roc_auc
from finding_nemo.metrics.thresholded import scores_at_threshold
from finding_nemo.models.bundle.training_split import read_training_split
from finding_nemo.models.weights_origin import origins_in_words, origins_of_metadata
from finding_nemo.results.schema import PredictionTable


def evaluate(
    predictions: AnyPredictions,
    dataset: Dataset,
    *,
    split: Split | None = None,
    part: str | None = None,
    ignore_ancestors: bool = False,
    names_file: Path | None = None,
    taxa: TaxonomyTable | None = None,
) -> Evaluation:
    """Compare predictions with a data set's annotations.

    An image without a true category is left out and counted. An image that could not be read
    counts 0. Intervals are 95 %, by dive.

    Args:
        predictions: A stream from `Predictor.predict`, predictions in a list, a table, or the path
            of a predictions file. Each gives the same figures.
        dataset: Holds the truth.
        split: Says what the model may have learnt from.
        part: The part to judge, with `split`.
        ignore_ancestors: Whether to score also with guesses passed over that stand above or below
            a true category in the tree of names, as a family above its species.
        names_file: A table of names for that, which counts before that of the package.
        taxa: The tree of names in place of the package's, as `marine.taxa_file.read_taxa` gives
            it: what the predictions' answers by rank were made with.

    Returns:
        Every figure, with the baselines' beside it.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        PredictionsError: If nothing can be judged, or the category tables differ.
        SettingsError: If only one of `split` and `part` is given.
        SplitError: If the split has no such part.
        NamesError: If the table of names cannot be read.

    Example:
        >>> predictions = finding_nemo.Predictor(run.bundle).predict(test)  # doctest: +SKIP
        >>> found = finding_nemo.evaluate(  # doctest: +SKIP
        ...     predictions, dataset, split=split, part="test"
        ... )
        >>> found.model.map_at_20.value, found.prior.map_at_20.value  # doctest: +SKIP
    """
    _check_arguments(dataset, split, part)
    given, predictions = predictions, as_prediction_table(predictions, dataset)
    evaluation_set = _align(predictions, dataset, split, part)
    evidence = training_evidence(evaluation_set, predictions.metadata)
    prior, prior_source = _prior(evaluation_set, evidence)
    per_image, by_prior = _by_model(evaluation_set), _per_image(evaluation_set, prior)
    categories = score_categories(evaluation_set, evidence, validation_aps(predictions.metadata))
    novel = _holds_untrained(evaluation_set, evidence)
    map_at_20 = float(np.nanmean(per_image))
    found = Evaluation(
        model=_method("model", evaluation_set, evaluation_set.scores, per_image),
        prior=_method("prior", evaluation_set, prior, by_prior),
        time_copy=_time_copy(evaluation_set),
        gain=_gain(evaluation_set, per_image, by_prior),
        prior_source=prior_source,
        n_images=int(evaluation_set.truth_of_all.sum()),
        n_dives=len(set(np.array(evaluation_set.dives)[evaluation_set.truth_of_all])),
        n_empty=int((~evaluation_set.truth_of_all).sum()),
        n_failed=int(evaluation_set.failed.sum()),
        categories=categories,
        supercategories=score_supercategories(evaluation_set, categories),
        thirds=score_thirds(evaluation_set, categories),
        at_half=scores_at_threshold(evaluation_set.truth, evaluation_set.scores),
        leakage=_leakage(evaluation_set),
        novelty=_novelty(evaluation_set, predictions, novel, map_at_20),
        rankings=evaluate_rankings(evaluation_set, predictions, map_at_20),
        answers=evaluate_answers(evaluation_set, predictions, taxa=taxa),
        uncertainty=None
        if evaluation_set.failed.all()
        else evaluate_uncertainty(evaluation_set, predictions, novel),
        images=_images(evaluation_set, predictions, per_image),
        notices=(
            *evaluation_set.notices,
            *_weights_notices(predictions),
            *filter(None, [unknown_taxa_notice(evaluation_set, predictions, taxa=taxa)]),
        ),
        metadata=predictions.metadata,
        ancestors=evaluate_ancestors(evaluation_set, prior, names_file=names_file, taxa=taxa)
        if ignore_ancestors
        else None,
    )
    return _with_trained_frames(found, given, predictions)


def _with_trained_frames(
    found: Evaluation, given: AnyPredictions, table: PredictionTable
) -> Evaluation:
    """Warn of judged frames that were trained on; where a table lies only its reader knows."""
    if isinstance(given, PredictionTable):
        return found
    folder = Path(given).parent if isinstance(given, str | os.PathLike) else Path.cwd()
    return warned_of_trained_frames(found, read_training_split(table.metadata, folder))


def _weights_notices(predictions: PredictionTable) -> tuple[str, ...]:
    """Return what the predictions' network knew before its training, where the file says it."""
    origins = origins_of_metadata(predictions.metadata)
    return (origins_in_words(origins),) if origins else ()


def _check_arguments(dataset: object, split: object, part: object) -> None:
    read = 'a Dataset, as read_dataset("folder") returns it'
    check_argument(dataset, Dataset, "evaluate(dataset=...)", read)
    made = "a Split, as make_split or read_split returns it"
    check_argument(split, (Split, type(None)), "evaluate(split=...)", made)
    check_argument(
        part, (str, type(None)), "evaluate(part=...)", 'the name of a part, such as "test"'
    )
    if (split is None) != (part is None):
        lacking = "the part to judge, such as part='test'" if part is None else "the split"
        raise SettingsError(f"split and part go together: give {lacking} too, or neither.")


def _align(
    predictions: PredictionTable, dataset: Dataset, split: Split | None, part: str | None
) -> EvaluationSet:
    evaluation_set = align_with_truth(predictions, dataset, split=split, part=part)
    if not evaluation_set.truth_of_all.any():
        raise PredictionsError("No judged image holds a category: there is nothing to score.")
    return evaluation_set


def _by_model(evaluation_set: EvaluationSet) -> Float64s:
    found = _per_image(evaluation_set, evaluation_set.ranking)
    return np.where(evaluation_set.failed & evaluation_set.truth_of_all, 0.0, found)


def _prior(evaluation_set: EvaluationSet, evidence: Evidence | None) -> tuple[Float64s, str]:
    """Return class frequency for each judged image, and where it is from."""
    frequency, source = _frequency(evaluation_set, evidence)
    return np.tile(frequency, (len(evaluation_set.records), 1)), source


def _frequency(evaluation_set: EvaluationSet, evidence: Evidence | None) -> tuple[Float64s, str]:
    if evaluation_set.train:
        return prior_scores(
            evaluation_set.dataset.truth(evaluation_set.train)
        ), "the split's training part"
    if evidence is not None:
        counts = [
            evidence.get(number, (0, 0))[0] for number in evaluation_set.dataset.categories.ids
        ]
        return np.array(counts, dtype=np.float64), "the training images that the bundle names"
    return prior_scores(evaluation_set.truth), "the judged images themselves (flatters the prior)"


def _per_image(evaluation_set: EvaluationSet, scores: Float64s) -> Float64s:
    return average_precision_at_k(evaluation_set.truth, scores)


def _method(
    name: str, evaluation_set: EvaluationSet, scores: Float64s, per_image: Float64s
) -> MethodScore:
    image_interval = dive_bootstrap_interval(per_image, evaluation_set.dives)
    dive_interval = dive_mean_interval(per_image, evaluation_set.dives)
    by_dive = mean_over_dives(per_image, evaluation_set.dives)
    return MethodScore(
        name=name,
        map_at_20=Measured(float(np.nanmean(per_image)), image_interval.low, image_interval.high),
        map_at_20_by_dive=Measured(by_dive, dive_interval.low, dive_interval.high),
        macro_ap=macro_average_precision(evaluation_set.truth, scores),
    )


def _time_copy(evaluation_set: EvaluationSet) -> MethodScore | None:
    if not evaluation_set.train:
        return None
    scores = time_copy_scores(
        [frame_key(record) for record in evaluation_set.train],
        evaluation_set.dataset.truth(evaluation_set.train),
        [frame_key(record) for record in evaluation_set.records],
    )
    return _method("time-copy", evaluation_set, scores, _per_image(evaluation_set, scores))


def _gain(evaluation_set: EvaluationSet, model: Float64s, prior: Float64s) -> Measured:
    paired = paired_dive_bootstrap(model, prior, evaluation_set.dives)
    return Measured(paired.mean, paired.interval.low, paired.interval.high)


def _leakage(evaluation_set: EvaluationSet) -> Leakage | None:
    if not evaluation_set.train:
        return None
    return measure_leakage(
        [frame_key(record) for record in evaluation_set.train],
        [frame_key(record) for record in evaluation_set.records],
    )


def _novelty(
    evaluation_set: EvaluationSet,
    predictions: PredictionTable,
    holds_untrained: Bools,
    map_at_20: float,
) -> NoveltyScore | None:
    """Score novelty where some judged images, and not all, hold an untrained category."""
    novelty = predictions.novelty[evaluation_set.rows]
    usable = ~np.isnan(novelty)
    novel = holds_untrained[usable]
    if not novel.any() or novel.all():
        return None
    auc = roc_auc(novel, novelty[usable])
    return NoveltyScore(
        n_novel=int(novel.sum()),
        auc=auc,
        scaled_auc=2 * auc - 1,
        competition_score=competition_score(map_at_20, auc),
    )


def _holds_untrained(
    evaluation_set: EvaluationSet, evidence: Mapping[int, tuple[int, int]] | None
) -> Bools:
    ids = evaluation_set.dataset.categories.ids
    untrained = [evidence is not None and evidence.get(n, (0, 0))[0] == 0 for n in ids]
    return np.asarray(evaluation_set.truth[:, untrained].any(axis=1))


def _images(
    evaluation_set: EvaluationSet, predictions: PredictionTable, per_image: Float64s
) -> tuple[EvaluatedImage, ...]:
    assessment = predictions.assessment
    pictures = Pictures(evaluation_set.dataset)
    return tuple(
        EvaluatedImage(
            image_id=record.image_id,
            path=pictures.path_of(record, predictions.paths[row]),
            dive=record.dive or "",
            true_ids=record.category_ids or (),
            ranked_ids=predictions.ranked_ids[row],
            probabilities=predictions.ranked_probabilities[row],
            average_precision=float(score),
            failure=predictions.failures[row],
            novelty_percentile=float(assessment.novelty_percentile[row])
            if assessment
            else float("nan"),
            label=assessment.labels[row] if assessment else "",
            is_outside=pictures.is_outside(record, predictions.paths[row]),
        )
        for record, row, score in zip(
            evaluation_set.records, evaluation_set.rows, per_image, strict=True
        )
    )
