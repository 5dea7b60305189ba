"""How well a score tells novel images from others, with intervals that know dives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.bootstrap import Interval

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Detection:
    """How well novel images are found.

    Attributes:
        auc: How often a novel image scores above another, ties counting half, in [0, 1].
        auc_interval: Its interval when dives are drawn with replacement.
        fpr_at_95: Share of the other images at or above the score that 95 % of the novel ones
            reach, in [0, 1]; lower is better.
        fpr_interval: Its interval.
    """

    auc: float
    auc_interval: Interval
    fpr_at_95: float
    fpr_interval: Interval


def measure_detection(
    novel: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.floating],
    dives: Sequence[str],
    *,
    draws: int = 500,
    seed: int = 0,
) -> Detection:
    """Measure one score.

    Args:
        novel: Whether each image is novel, shape (images,); some are and some are not.
        scores: Higher = further out, same shape, no NaN.
        dives: The dive of each image.
        draws: Number of bootstrap samples.
        seed: Of the draws.

    Raises:
        PredictionsError: If the shapes differ, a score is NaN, or one side is empty.
    """
    if novel.shape != scores.shape or novel.ndim != 1 or len(dives) != len(novel):
        raise PredictionsError(
            f"One score and one dive an image are needed, got {novel.shape}, {scores.shape} and "
            f"{len(dives)} dives."
        )
    if np.isnan(scores).any() or novel.all() or not novel.any():
        raise PredictionsError(
            f"Detection needs numbers on both sides; got {int(np.isnan(scores).sum())} NaN, "
            f"{int(novel.sum())} novel and {int((~novel).sum())} other images."
        )
    curve = _Curve(novel, scores.astype(np.float64))
    auc, fpr = curve.measure(np.ones((1, len(novel))))
    names, position = np.unique(np.asarray(dives, dtype=np.str_), return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), draws
    )
    many_auc, many_fpr = curve.measure(drawn[:, position].astype(np.float64))
    return Detection(float(auc[0]), _interval(many_auc), float(fpr[0]), _interval(many_fpr))


class _Curve:
    """Images in descending order of score, those with one score together."""

    def __init__(self, novel: npt.NDArray[np.bool_], scores: Float64s) -> None:
        self._order = np.argsort(-scores, kind="stable")
        self._novel = novel[self._order]
        ordered = scores[self._order]
        self._starts = np.flatnonzero(np.append(True, np.diff(ordered) != 0))

    def measure(self, weights: Float64s) -> tuple[Float64s, Float64s]:
        """Return AUC and FPR at 95 % TPR for each row of weights; NaN where a side is empty."""
        ordered = weights[:, self._order]
        hits = np.add.reduceat(ordered * self._novel, self._starts, axis=1)
        alarms = np.add.reduceat(ordered * ~self._novel, self._starts, axis=1)
        n_novel, n_other = hits.sum(axis=1), alarms.sum(axis=1)
        below = n_other[:, np.newaxis] - np.cumsum(alarms, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            auc = (hits * (below + alarms / 2)).sum(axis=1) / (n_novel * n_other)
            reached = np.cumsum(hits, axis=1) >= 0.95 * n_novel[:, np.newaxis] - 1e-9
            first = np.argmax(reached, axis=1)[:, np.newaxis]
            fpr = np.take_along_axis(np.cumsum(alarms, axis=1), first, axis=1)[:, 0] / n_other
        return auc, np.where(n_novel > 0, fpr, np.nan)


def _interval(values: Float64s) -> Interval:
    known = values[~np.isnan(values)]
    if not known.size:
        return Interval(float("nan"), float("nan"), _LEVEL)
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(low), float(high), _LEVEL)
