"""From which probability on a category is named, so that a wanted share of the names is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s, Ints
from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.bootstrap import Interval

LEAST_POSITIVES = 10
# Two dives can judge each other; one says nothing of another.
LEAST_DIVES = 2
# A category is named only with more: of two dives, either alone chose the threshold.
LEAST_DIVES_TO_NAME = 3
# Fewer names cannot show a precision: two right of two is no evidence of 0.9.
LEAST_NAMES = 10
_DRAWS = 200
_LEVEL = 0.95
# The bootstrap tries no more: 20,000 images of 290 categories took half a minute with them all.
_MOST_THRESHOLDS = 512


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where one category is named, and what that reached on validation dives.

    Attributes:
        threshold: Named at this probability or above; where the wanted precision is not to be
            had, the most precise threshold; infinite where nothing can be said of any.
        is_reached: Whether the wanted precision was reached, on dives enough to name it.
        precision: Share of names that were right, NaN without a threshold.
        precision_interval: Where the precision on other dives should lie, at 95 %.
        recall: Share of true images that were named, NaN without a threshold.
        recall_interval: The same of recall.
        false_positive_rate: Share of images without the category that were named, NaN without a
            threshold.
        false_positive_interval: The same of the false positive rate.
        n_positives: Validation images that hold the category.
        n_dives: Their dives.
    """

    threshold: float
    is_reached: bool
    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval
    false_positive_rate: float
    false_positive_interval: Interval
    n_positives: int
    n_dives: int

    @property
    def naming_threshold(self) -> float:
        """From where on the category is named; infinite where it never is."""
        return self.threshold if self.is_reached else float("inf")


def fit_operating_points(
    truth: Bools,
    probabilities: AnyFloats,
    dives: Sequence[str],
    *,
    precision: float,
    draws: int = _DRAWS,
    seed: int = 0,
) -> tuple[OperatingPoint, ...]:
    """Choose for each category the lowest threshold that reaches `precision`.

    Where none does, the most precise one is chosen and marked, so that people see what can be
    had. The intervals are honest about the choice: dives are drawn with replacement, the
    threshold is chosen anew on those drawn, and judged on the dives that were not drawn. They
    always hold what the validation dives themselves gave: a dive like those gives that.

    Args:
        truth: Of validation images, shape (images, categories).
        probabilities: Calibrated, same shape.
        dives: The dive of each image.
        precision: Wanted, in (0, 1].
        draws: Number of bootstrap samples.
        seed: Of the draws.

    Raises:
        PredictionsError: If shapes differ or `precision` is out of range.

    Source:
        Efron and Tibshirani, "Improvements on Cross-Validation: The .632+ Bootstrap Method",
        JASA 1997 (out-of-bag judgement), with dives for observations.
    """
    if truth.shape != probabilities.shape or len(dives) != len(truth):
        raise PredictionsError(
            f"Thresholds need one probability a cell and one dive an image, got {truth.shape}, "
            f"{probabilities.shape} and {len(dives)} dives."
        )
    if not 0 < precision <= 1:
        raise PredictionsError(f"The wanted precision must be in (0, 1], got {precision}.")
    names, position = np.unique(np.asarray(dives, dtype=np.str_), return_inverse=True)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / max(len(names), 1)), draws)
    points = []
    for j in range(truth.shape[1]):
        held, scores = truth[:, j], probabilities[:, j].astype(np.float64)
        n_dives = len(np.unique(position[held]))
        if held.sum() < LEAST_POSITIVES or n_dives < LEAST_DIVES:
            points.append(_no_point(int(held.sum()), n_dives))
        else:
            points.append(_point(held, scores, position, drawn, precision))
    return tuple(points)


_UNKNOWN = Interval(float("nan"), float("nan"), _LEVEL)


def _no_point(n_positives: int, n_dives: int) -> OperatingPoint:
    nan = float("nan")
    return OperatingPoint(
        threshold=float("inf"),
        is_reached=False,
        precision=nan,
        precision_interval=_UNKNOWN,
        recall=nan,
        recall_interval=_UNKNOWN,
        false_positive_rate=nan,
        false_positive_interval=_UNKNOWN,
        n_positives=n_positives,
        n_dives=n_dives,
    )


def _point(
    held: Bools, scores: Float64s, position: Ints, drawn: Ints, precision: float
) -> OperatingPoint:
    n_positives, n_dives = int(held.sum()), len(np.unique(position[held]))
    thresholds, step = np.unique(-scores, return_inverse=True)
    one_dive = np.zeros_like(step)
    named, right = _counts(held, step, one_dive, (len(thresholds), 1))
    chosen, reached = _choose(named.T, right.T, precision)
    if chosen[0] < 0:
        return _no_point(n_positives, n_dives)
    threshold = -thresholds[chosen[0]]
    kept = _worth_a_try(len(thresholds))
    by_dive = (len(kept), drawn.shape[1])
    named, right = _counts(held, np.searchsorted(kept, step), position, by_dive)
    again, _ = _choose(drawn @ named.T, drawn @ right.T, precision)
    outside = (drawn == 0) & (again >= 0)[:, np.newaxis]
    hits = (outside * right[again]).sum(axis=1)
    stated = float(held[scores >= threshold].mean())
    recall = float((scores[held] >= threshold).mean())
    false = (outside * (named - right)[again]).sum(axis=1)
    false_rate = float((scores[~held] >= threshold).mean()) if not held.all() else float("nan")
    return OperatingPoint(
        threshold=float(threshold),
        is_reached=bool(reached[0]) and n_dives >= LEAST_DIVES_TO_NAME,
        precision=stated,
        precision_interval=_interval(hits, (outside * named[again]).sum(axis=1), stated),
        recall=recall,
        recall_interval=_interval(hits, (drawn == 0) @ right[-1], recall),
        false_positive_rate=false_rate,
        false_positive_interval=_interval(false, (drawn == 0) @ (named - right)[-1], false_rate),
        n_positives=n_positives,
        n_dives=n_dives,
    )


def _worth_a_try(n_thresholds: int) -> Ints:
    """Return which thresholds the bootstrap tries: all, or ever sparser ones further down."""
    if n_thresholds <= _MOST_THRESHOLDS:
        return np.arange(n_thresholds)
    return np.unique(np.geomspace(1, n_thresholds, _MOST_THRESHOLDS).astype(np.int64)) - 1


def _counts(
    held: Bools, step: Ints, position: Ints, shape: tuple[int, int]
) -> tuple[Float64s, Float64s]:
    """Return how many images each threshold names in each dive, and how many of them rightly.

    Args:
        held: Whether each image holds the category.
        step: The first threshold, from the highest down, that names each image.
        position: The dive of each image.
        shape: (thresholds, dives), that of the results.
    """
    cell = step * shape[1] + position
    size = shape[0] * shape[1]
    named = np.bincount(cell, minlength=size).reshape(shape)
    right = np.bincount(cell[held], minlength=size).reshape(shape)
    return (
        np.cumsum(named, axis=0, dtype=np.float64),
        np.cumsum(right, axis=0, dtype=np.float64),
    )


def _choose(named: Float64s, right: Float64s, precision: float) -> tuple[Ints, Bools]:
    """Return which threshold to take in each row, and whether it reaches the wanted precision.

    It is the lowest that does, else the most precise one; -1 where too few are ever named.

    Args:
        named: How many each threshold names, shape (rows, thresholds), rising along a row.
        right: How many of them are right, same shape.
        precision: Wanted.
    """
    possible = named >= LEAST_NAMES
    reaching = possible & (right >= precision * named - 1e-9)
    lowest = reaching.shape[1] - 1 - np.argmax(reaching[:, ::-1], axis=1)
    most_precise = np.argmax(np.where(possible, right / np.maximum(named, 1), -1), axis=1)
    reached: Bools = np.asarray(reaching.any(axis=1))
    position = np.where(reached, lowest, most_precise)
    return np.where(possible.any(axis=1), position, -1), reached


def _interval(hits: Float64s, of: Float64s, stated: float) -> Interval:
    known = of > 0
    if not known.any():
        return _UNKNOWN
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(hits[known] / of[known], [tail, 1 - tail])
    return Interval(min(float(low), stated), max(float(high), stated), _LEVEL)
