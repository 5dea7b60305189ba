"""How good the frames are that nobody looked at, with an interval, and how many looks more help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.adaptation.adaptation_settings import QualitySettings
from finding_nemo.core.arrays import Float64s
from finding_nemo.metrics.bootstrap import Interval

LEVEL = 0.9
# Dives of other folds stray further than those that the spread was taken from: at this level of
# theirs nine of ten are covered (docs/experiments/0040-adaptation.md).
_FITTED_LEVEL = 0.92
# A dive that seems perfect is still not known to be.
_LEAST_LOSS = 0.03
_RIDGE = 0.1
# Of the error of several dives' mean, this share is common to all: weights fitted elsewhere.
_SHARED = 0.35


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityClues:
    """What is known of a dive without the truth of its rest.

    Attributes:
        n_reviewed: Frames looked at, at least 1.
        n_rest: Frames not looked at.
        top_probability: Mean over the rest of the largest probability.
        left_out_ap: Mean AP of the reviewed frames, each foretold by the others.
        variance: Mean posterior variance over the rest.
    """

    n_reviewed: int
    n_rest: int
    top_probability: float
    left_out_ap: float
    variance: float

    @property
    def inputs(self) -> Float64s:
        """What the weights of `QualitySettings` are for, shape (5,)."""
        few = 1.0 / np.sqrt(self.n_reviewed)
        return np.array([1.0, self.top_probability, self.left_out_ap, self.variance, few])


@dataclass(frozen=True, slots=True)
class RestQuality:
    """MAP@20 of the frames not looked at.

    Attributes:
        map_at_20: The estimate, in [0, 1].
        interval: It holds the truth for nine dives of ten.
        n_rest: How many frames it is of.
    """

    map_at_20: float
    interval: Interval
    n_rest: int


def estimate_quality(clues: QualityClues, settings: QualitySettings) -> RestQuality:
    """Return how good the rest of one dive is."""
    value = float(np.clip(clues.inputs @ np.array(settings.weights), 0.0, 1.0))
    scale = _scale(value, clues.n_reviewed, settings.few)
    low = min(max(value + settings.low * scale, 0.0), value)
    high = max(min(value + settings.high * scale, 1.0), value)
    return RestQuality(value, Interval(low, high, LEVEL), clues.n_rest)


def _scale(value: float, n_reviewed: int, few: float) -> float:
    return (_LEAST_LOSS + 1.0 - value) * (1.0 + few / n_reviewed)


def fit_quality(
    clues: Sequence[QualityClues],
    scores: Sequence[float],
    groups: Sequence[str] = (),
    *,
    decay: float,
) -> QualitySettings:
    """Return the weights and the spread that simulated reviews show.

    The spread is that of dives that the weights were not fitted on, group by group.

    Args:
        clues: One a simulated state of a dive.
        scores: The MAP@20 that its rest truly had.
        groups: The dive of each; without, each counts as its own.
        decay: Of the loss with the frames reviewed.

    Source:
        Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 2015.
    """
    few = QualitySettings().few
    inputs = np.stack([clue.inputs for clue in clues])
    truth = np.asarray(scores, dtype=np.float64)
    names = np.asarray(groups if groups else [str(row) for row in range(len(clues))])
    errors = np.empty(len(clues))
    _, group = np.unique(names, return_inverse=True)
    for part in range(min(10, group.max() + 1)):
        held = group % 10 == part
        weights = _ridge(inputs[~held], truth[~held]) if (~held).any() else _ridge(inputs, truth)
        for row in np.flatnonzero(held).tolist():
            value = float(np.clip(inputs[row] @ weights, 0.0, 1.0))
            errors[row] = (truth[row] - value) / _scale(value, clues[row].n_reviewed, few)
    low, high = np.quantile(errors, [(1 - _FITTED_LEVEL) / 2, (1 + _FITTED_LEVEL) / 2])
    a, b, c, d, e = (float(weight) for weight in _ridge(inputs, truth))
    return QualitySettings(
        weights=(a, b, c, d, e), low=min(float(low), 0.0), high=max(float(high), 0.0), decay=decay
    )


def _ridge(inputs: Float64s, truth: Float64s) -> Float64s:
    curvature = inputs.T @ inputs + _RIDGE * np.eye(inputs.shape[1])
    return np.linalg.solve(curvature, inputs.T @ truth).astype(np.float64)


def pool_quality(parts: Sequence[RestQuality]) -> RestQuality | None:
    """Return how good the rest of several dives is together, `None` of none.

    Dives err mostly apart from each other, so most of the half widths adds as squares do.
    """
    counted = [part for part in parts if part.n_rest]
    if not counted:
        return None
    total = sum(part.n_rest for part in counted)
    share = np.array([part.n_rest / total for part in counted])
    value = float(share @ [part.map_at_20 for part in counted])
    below = [part.map_at_20 - part.interval.low for part in counted]
    above = [part.interval.high - part.map_at_20 for part in counted]
    low = value - _joined(share * below)
    high = min(value + _joined(share * above), 1.0)
    return RestQuality(value, Interval(max(low, 0.0), high, LEVEL), total)


def _joined(halves: Float64s) -> float:
    return float(np.sqrt((1 - _SHARED) * (halves**2).sum() + _SHARED * halves.sum() ** 2))


def frames_to_reach(
    target: float,
    parts: Sequence[tuple[RestQuality, int]],
    settings: QualitySettings,
    *,
    most: int = 200,
) -> int | None:
    """Return how many more frames in all would bring the rest to `target`, in the expectation.

    Each dive gets as many more; its loss falls as `decay` says.

    Args:
        target: MAP@20 wanted, in (0, 1).
        parts: Of each dive its quality now and its frames reviewed.
        settings: With the decay.
        most: More than so many a dive are not foretold: the answer is `None`.
    """
    rest = np.array([quality.n_rest for quality, _ in parts], dtype=np.float64)
    if not rest.sum():
        return 0
    loss = np.array([1.0 - quality.map_at_20 for quality, _ in parts])
    reviewed = np.array([count for _, count in parts], dtype=np.float64)
    for extra in range(most + 1):
        left = np.maximum(rest - extra, 0.0)
        if not left.sum():
            return int(np.minimum(rest, extra).sum())
        fallen = loss * ((reviewed + 1) / (reviewed + extra + 1)) ** settings.decay
        if 1.0 - float(left @ fallen / left.sum()) >= target:
            return int(np.minimum(rest, extra).sum())
    return None
