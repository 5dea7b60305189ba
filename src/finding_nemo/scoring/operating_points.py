"""From which probability on a category is named, so that a wanted share of the names is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.scoring.bootstrap import Interval

Truth = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]

LEAST_POSITIVES = 10
# Two dives can judge each other; one says nothing of another.
LEAST_DIVES = 2
# A category is named only with more: of two dives, either alone chose the threshold.
LEAST_DIVES_TO_NAME = 3
# Fewer names cannot show a precision: two right of two is no evidence of 0.9.
LEAST_NAMES = 10
_DRAWS = 200
_LEVEL = 0.95


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
        n_positives: Validation images that hold the category.
        n_dives: Their dives.
    """

    threshold: float
    is_reached: bool
    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval
    n_positives: int
    n_dives: int

    @property
    def naming_threshold(self) -> float:
        """From where on the category is named; infinite where it never is."""
        return self.threshold if self.is_reached else float("inf")


def fit_operating_points(
    truth: Truth,
    probabilities: Floats,
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
    names, place = np.unique(np.asarray(dives, dtype=np.str_), return_inverse=True)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / max(len(names), 1)), draws)
    points = []
    for j in range(truth.shape[1]):
        held, scores = truth[:, j], probabilities[:, j].astype(np.float64)
        n_dives = len(np.unique(place[held]))
        if held.sum() < LEAST_POSITIVES or n_dives < LEAST_DIVES:
            points.append(_no_point(int(held.sum()), n_dives))
        else:
            points.append(_point(held, scores, place, drawn, precision))
    return tuple(points)


_UNKNOWN = Interval(float("nan"), float("nan"), _LEVEL)


def _no_point(n_positives: int, n_dives: int) -> OperatingPoint:
    nan = float("nan")
    return OperatingPoint(float("inf"), False, nan, _UNKNOWN, nan, _UNKNOWN, n_positives, n_dives)


def _point(
    held: Truth,
    scores: npt.NDArray[np.float64],
    place: npt.NDArray[np.int64],
    drawn: npt.NDArray[np.int64],
    precision: float,
) -> OperatingPoint:
    n_dives = len(np.unique(place[held]))
    everything = np.ones((1, len(held)))
    chosen, reached = _thresholds(held, scores, everything, precision)
    threshold = float(chosen[0])
    if not np.isfinite(threshold):
        return _no_point(int(held.sum()), n_dives)
    weights = drawn[:, place].astype(np.float64)
    thresholds, _ = _thresholds(held, scores, weights, precision)
    outside = weights == 0
    named = (scores[np.newaxis] >= thresholds[:, np.newaxis]) & outside
    right = (named & held).sum(axis=1)
    stated = float(held[scores >= threshold].mean())
    recall = float((scores[held] >= threshold).mean())
    return OperatingPoint(
        threshold=threshold,
        is_reached=bool(reached[0]) and n_dives >= LEAST_DIVES_TO_NAME,
        precision=stated,
        precision_interval=_interval(right, named.sum(axis=1), stated),
        recall=recall,
        recall_interval=_interval(right, (outside & held).sum(axis=1), recall),
        n_positives=int(held.sum()),
        n_dives=n_dives,
    )


def _thresholds(
    held: Truth,
    scores: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    precision: float,
) -> tuple[npt.NDArray[np.float64], Truth]:
    """Return a threshold for each row of weights, and whether it reaches the wanted precision.

    It is the lowest that does, else the most precise one; infinite where too few are named.
    Images with equal scores are named together, so only the last of them can be the threshold.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    named = np.cumsum(weights[:, order], axis=1)
    right = np.cumsum(weights[:, order] * held[order], axis=1)
    possible = (named >= LEAST_NAMES) & np.append(np.diff(ordered) != 0, True)
    reaching = possible & (right >= precision * named - 1e-9)
    lowest = reaching.shape[1] - 1 - np.argmax(reaching[:, ::-1], axis=1)
    most_precise = np.argmax(np.where(possible, right / np.maximum(named, 1), -1), axis=1)
    reached = reaching.any(axis=1)
    place = np.where(reached, lowest, most_precise)
    return np.where(possible.any(axis=1), ordered[place], np.inf), reached


def _interval(hits: npt.NDArray[np.int64], of: npt.NDArray[np.int64], stated: float) -> Interval:
    known = of > 0
    if not known.any():
        return _UNKNOWN
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(hits[known] / of[known], [tail, 1 - tail])
    return Interval(min(float(low), stated), max(float(high), stated), _LEVEL)
