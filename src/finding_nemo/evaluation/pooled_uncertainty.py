"""How far several trainings can be trusted, their unseen dives taken together.

One fold has a few dozen dives, which hold more or fewer categories a frame than those that its
calibration was fitted on. Over all folds every dive has been unseen once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.records import Dataset, Split
from finding_nemo.evaluation.evaluate_uncertainty import before_calibration
from finding_nemo.evaluation.evaluation_set import align_with_truth
from finding_nemo.evaluation.uncertainty_results import UncertaintyResults
from finding_nemo.metrics.calibration_error import chance_calibration_error, measure_reliability
from finding_nemo.results.schema import PredictionTable

# A stated precision of fewer positives is not held against a threshold.
LEAST_POSITIVES = 50


@dataclass(frozen=True)
class UncertaintyCells:
    """What was said and what was so, of the judged images that could be read.

    Attributes:
        truth: Shape (images, categories).
        probabilities: Probabilities as given, same shape.
        before: The same before calibration; `None` where the file names none.
        dives: The dive of each image.
    """

    truth: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]
    before: npt.NDArray[np.float64] | None
    dives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PooledUncertainty:
    """Trust over the unseen dives of all folds.

    Attributes:
        raw_ece: Calibration error before calibration, over all cells of all folds.
        ece: The same as given.
        coverage: Share of images whose set misses no true category, NaN without sets.
        mean_set_size: Categories in a set.
        n_categories: Of the table.
        precision: The wanted one, NaN where none was.
        n_within: Thresholds of categories with 50 validation positives or more whose precision
            here lies in the stated interval.
        n_outside: The same, outside, or nothing here lies above the threshold.
        n_never: Categories with as many positives, all of one dive, of which nothing is stated.
        n_reached: Of the thresholds, those that reached the wanted precision on validation dives.
        chance_ece: Calibration error that perfect probabilities would show on these dives.
    """

    raw_ece: float
    ece: float
    coverage: float
    mean_set_size: float
    n_categories: int
    precision: float
    n_within: int
    n_outside: int
    n_never: int
    n_reached: int
    chance_ece: float


def uncertainty_cells(
    predictions: PredictionTable, dataset: Dataset, *, split: Split, part: str
) -> UncertaintyCells:
    """Return the cells of one fold; images that could not be read are left out."""
    evaluation_set = align_with_truth(predictions, dataset, split=split, part=part)
    read = ~evaluation_set.failed
    probabilities = evaluation_set.scores[read]
    before = before_calibration(probabilities, predictions, evaluation_set)
    return UncertaintyCells(
        evaluation_set.truth[read], probabilities, before, tuple(evaluation_set.read_dives)
    )


def pool_uncertainty(
    cells: Sequence[UncertaintyCells], findings: Sequence[UncertaintyResults], n_never: int
) -> PooledUncertainty | None:
    """Return all folds together, or `None` where some fold was not calibrated."""
    before = [fold.before for fold in cells if fold.before is not None]
    if not cells or len(before) < len(cells) or len(findings) < len(cells):
        return None
    truth = np.concatenate([fold.truth for fold in cells])
    probabilities, raw = (
        np.concatenate([fold.probabilities for fold in cells]),
        np.concatenate(before),
    )
    sets = [found.sets for found in findings if found.sets is not None]
    weights = [found.n_images for found in sets]
    points = [
        point
        for found in findings
        for point in found.points
        if point.n_validation >= LEAST_POSITIVES
    ]
    n_within = sum(point.is_within is True for point in points)
    return PooledUncertainty(
        raw_ece=measure_reliability(truth, raw).ece,
        ece=measure_reliability(truth, probabilities).ece,
        coverage=_average([found.coverage for found in sets], weights),
        mean_set_size=_average([found.mean_size for found in sets], weights),
        n_categories=truth.shape[1],
        precision=findings[0].precision or float("nan"),
        n_within=n_within,
        n_outside=len(points) - n_within,
        n_never=n_never,
        n_reached=sum(point.is_reached for point in points),
        chance_ece=chance_calibration_error(
            truth, probabilities, [dive for fold in cells for dive in fold.dives]
        ),
    )


def _average(values: Sequence[float], weights: Sequence[int]) -> float:
    return float(np.average(values, weights=weights)) if values else float("nan")


def count_never(metadata: Mapping[str, Any]) -> int:
    """Return how many categories of a file's metadata have positives enough and no threshold."""
    points = metadata.get("operating_points", ())
    return sum(p["threshold"] is None and p["n_positives"] >= LEAST_POSITIVES for p in points)


def in_words(recipe: str, pooled: PooledUncertainty) -> str:
    """Return one sentence for people."""
    fall = 1 - pooled.ece / pooled.raw_ece if pooled.raw_ece else float("nan")
    facts = [
        f"calibration error {pooled.raw_ece:.4f} before and {pooled.ece:.4f} after "
        f"({100 * fall:.0f} % less; perfect probabilities would show {pooled.chance_ece:.4f} on so "
        "few dives)"
    ]
    if not math.isnan(pooled.mean_set_size):
        facts.append(
            f"sets cover {100 * pooled.coverage:.1f} % of frames with {pooled.mean_set_size:.1f} "
            f"of {pooled.n_categories} categories"
        )
    of = pooled.n_within + pooled.n_outside + pooled.n_never
    if of:
        facts.append(
            f"of {of} categories with {LEAST_POSITIVES} validation positives, {pooled.n_within} "
            f"reach a precision in their stated interval ({pooled.n_reached} promise "
            f"{pooled.precision:g}, the others what can be had; {pooled.n_never} were seen on one "
            "dive alone and promise nothing)"
        )
    return f"{recipe}, unseen dives of all folds together: {'; '.join(facts)}."
