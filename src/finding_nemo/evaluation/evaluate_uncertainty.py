"""Novelty, calibration, thresholds, sets and rollup of predictions, on judged images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.evaluation.evaluation_set import EvaluationSet
from finding_nemo.evaluation.ood_table import baseline_scores, novelty_table
from finding_nemo.evaluation.uncertainty_results import (
    AnswerResult,
    PointResult,
    RollupResult,
    ScorerResult,
    UncertaintyResults,
)
from finding_nemo.metrics.average_precision import average_precision_by_category
from finding_nemo.metrics.calibration_error import chance_calibration_error, measure_reliability
from finding_nemo.results.schema import PredictionTable
from finding_nemo.uncertainty.calibration import LogitCalibration
from finding_nemo.uncertainty.conformal import SetScores, score_sets
from finding_nemo.uncertainty.rollup import Rule, least_expected_distance, roll_up, tree_distances

Metadata = Mapping[str, Any]

_RULES: tuple[Rule, ...] = ("noisy-or", "max", "sum")


def evaluate_uncertainty(
    evaluation_set: EvaluationSet, predictions: PredictionTable, novel: Bools
) -> UncertaintyResults:
    """Measure how far predictions can be trusted.

    Images that could not be read are left out: nothing was said of them.

    Args:
        evaluation_set: Predictions laid beside the truth.
        predictions: The same, with what the file says of itself.
        novel: Whether each judged image holds a category that training never saw.
    """
    read = np.asarray(~evaluation_set.failed)
    metadata = predictions.metadata
    truth, probabilities = evaluation_set.truth[read], evaluation_set.scores[read]
    raw = before_calibration(probabilities, predictions, evaluation_set)
    with_truth = truth.any()
    return UncertaintyResults(
        scorers=_scorers(evaluation_set, predictions, novel),
        raw=None if raw is None else measure_reliability(truth, raw),
        calibrated=measure_reliability(truth, probabilities),
        chance_ece=chance_calibration_error(truth, probabilities, evaluation_set.read_dives),
        precision=metadata.get("precision"),
        points=_points(evaluation_set, metadata, truth, probabilities),
        n_without_point=sum(p["threshold"] is None for p in metadata.get("operating_points", ())),
        sets=_sets(evaluation_set, metadata, truth, probabilities) if with_truth else None,
        set_risk=metadata.get("set_risk"),
        answers=_answers(evaluation_set, predictions, read),
        rollups=_rollups(evaluation_set, truth, probabilities) if with_truth else (),
        distances=_distances(evaluation_set, truth, probabilities),
    )


def before_calibration(
    probabilities: Float64s, predictions: PredictionTable, evaluation_set: EvaluationSet
) -> Float64s | None:
    """Return `probabilities` before the calibration that the file names.

    `None` where it names none, or has no vector.
    """
    metadata = predictions.metadata.get("calibration")
    if not metadata or predictions.vector is None:
        return None
    if predictions.category_ids != evaluation_set.dataset.categories.ids:
        return None
    return LogitCalibration.of(metadata).undo(probabilities)


def _scorers(
    evaluation_set: EvaluationSet, predictions: PredictionTable, novel: Bools
) -> tuple[ScorerResult, ...]:
    assessment = predictions.assessment
    rows = evaluation_set.rows
    default = str(predictions.metadata.get("novelty_score", "novelty"))
    scores = {}
    if assessment is not None:
        scores = {name: assessment.scores[rows, c] for c, name in enumerate(assessment.score_names)}
    scores[default] = predictions.novelty[rows]
    baselines = baseline_scores(
        evaluation_set.records,
        [predictions.widths[row] for row in rows],
        [predictions.heights[row] for row in rows],
        None if assessment is None else assessment.brightness[rows],
    )
    return novelty_table(novel, scores, baselines, evaluation_set.dives, default=default)


def _points(
    evaluation_set: EvaluationSet, metadata: Metadata, truth: Bools, probabilities: Float64s
) -> tuple[PointResult, ...]:
    columns = evaluation_set.dataset.categories.columns
    results = []
    for entry, point in zip(
        metadata.get("categories", ()), metadata.get("operating_points", ()), strict=False
    ):
        if point["threshold"] is not None and entry["category_id"] in columns:
            column = columns[entry["category_id"]]
            results.append(_point(entry, point, truth[:, column], probabilities[:, column]))
    return tuple(sorted(results, key=lambda p: (not p.is_reached, -p.n_validation)))


def _point(entry: Metadata, point: Metadata, held: Bools, probabilities: Float64s) -> PointResult:
    # Files keep float32: a probability must not fall below the threshold by rounding.
    named = probabilities.astype(np.float32) >= np.float32(point["threshold"])
    low = _or_nan(point["precision_low"])
    high = _or_nan(point["precision_high"])
    reached = float(held[named].mean()) if named.any() else float("nan")
    return PointResult(
        id=int(entry["category_id"]),
        name=str(entry["name"]),
        threshold=float(point["threshold"]),
        # Files of earlier versions hold no threshold that does not reach it.
        is_reached=bool(point.get("is_reached", True)),
        stated=_or_nan(point["precision"]),
        stated_low=low,
        stated_high=high,
        stated_recall=_or_nan(point["recall"]),
        n_validation=int(point["n_positives"]),
        reached=reached,
        reached_recall=float(named[held].mean()) if held.any() else float("nan"),
        n_named=int(named.sum()),
        is_within=bool(low <= reached <= high) if named.any() else None,
    )


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _sets(
    evaluation_set: EvaluationSet, metadata: Metadata, truth: Bools, probabilities: Float64s
) -> SetScores | None:
    threshold = metadata.get("set_threshold")
    if threshold is None:
        return None
    return score_sets(
        truth, probabilities, evaluation_set.read_dives, threshold=float(np.float32(threshold))
    )


def _answers(
    evaluation_set: EvaluationSet, predictions: PredictionTable, read: Bools
) -> tuple[AnswerResult, ...]:
    assessment = predictions.assessment
    if assessment is None:
        return ()
    table = evaluation_set.dataset.categories
    right: dict[str, list[bool]] = {"category": [], "supercategory": [], "nothing": []}
    for record, row, fine in zip(evaluation_set.records, evaluation_set.rows, read, strict=True):
        if not fine:
            continue
        label, kind = assessment.labels[row], assessment.label_sources[row].partition(":")[0]
        held = [table.column_of(number) for number in record.category_ids or ()]
        names = table.names if kind == "category" else table.supercategories
        key = kind if label else "nothing"
        right[key].append(label in {names[column] for column in held})
    return tuple(
        AnswerResult(
            kind, len(hits), float(np.mean(hits)) if hits and kind != "nothing" else np.nan
        )
        for kind, hits in right.items()
    )


def _rollups(
    evaluation_set: EvaluationSet, truth: Bools, probabilities: Float64s
) -> tuple[RollupResult, ...]:
    groups = evaluation_set.dataset.categories.supercategories
    _, held = roll_up(truth.astype(np.float64), groups, rule="max")
    results = []
    for rule in _RULES:
        _, joined = roll_up(probabilities, groups, rule=rule)
        reliability = measure_reliability(held > 0, joined)
        found = average_precision_by_category(held > 0, joined)
        results.append(
            RollupResult(rule, reliability.ece, reliability.brier, float(np.nanmean(found)))
        )
    return tuple(results)


def _distances(
    evaluation_set: EvaluationSet, truth: Bools, probabilities: Float64s
) -> dict[str, float]:
    """Return the mean steps to the nearest true category of three ways to answer one name."""
    table = evaluation_set.dataset.categories
    leaves = [(c.supercategory, str(c.category_id)) for c in table.categories]
    inner = [(name,) for name in sorted(set(table.supercategories))]
    steps = tree_distances([*leaves, *inner, ()])[:, : len(leaves)]
    holding = truth.any(axis=1) & (probabilities.sum(axis=1) > 0)
    if not holding.any():
        return {}
    nearest = np.stack([steps[:, row].min(axis=1) for row in truth[holding]])
    everywhere = np.arange(len(nearest))
    least, _ = least_expected_distance(probabilities[holding], steps)
    _, groups = roll_up(probabilities[holding], table.supercategories)
    ways = {
        "most probable category": np.argmax(probabilities[holding], axis=1),
        "most probable supercategory": len(leaves) + np.argmax(groups, axis=1),
        "least expected distance": least,
    }
    return {name: float(nearest[everywhere, nodes].mean()) for name, nodes in ways.items()}
