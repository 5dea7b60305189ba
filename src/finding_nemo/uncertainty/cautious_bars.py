"""From which probability on an answer is right often enough, with dives as witnesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s, Ints
from finding_nemo.core.errors import PredictionsError

# Bars that are tried. Finer steps would follow single validation dives.
BARS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995)
# Frames of a dive err together: with this correlation a dive counts as 5 frames at most.
FRAME_CORRELATION = 0.2
# What stands before any dive has spoken counts as much as this many independent frames, ten long
# dives. With less, the bars follow single validation dives, and where validation dives are easy
# the others are hard (docs/experiments/0037-answer-words.md).
PRIOR_FRAMES = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswers:
    """One answer to each validation image, and whether it was right.

    Attributes:
        scores: Probability of the answer, shape (images,).
        is_right: Whether the image holds it, same shape.
        names: The number of each answer's name, same shape.
        dives: The dive of each image.
        n_names: How many names there are.
    """

    scores: Float64s
    is_right: Bools
    names: Ints
    dives: Sequence[str]
    n_names: int

    def __post_init__(self) -> None:
        shapes = {self.scores.shape, self.is_right.shape, self.names.shape, (len(self.dives),)}
        if len(shapes) > 1:
            raise PredictionsError(
                f"Bars need one score, one truth, one name and one dive an image, got {shapes}."
            )

    def kept(self, chosen: Bools) -> CheckedAnswers:
        """Return those of some images."""
        return CheckedAnswers(
            scores=self.scores[chosen],
            is_right=self.is_right[chosen],
            names=self.names[chosen],
            dives=np.asarray(self.dives, dtype=np.str_)[chosen].tolist(),
            n_names=self.n_names,
        )


def fit_bars(checked: CheckedAnswers, *, wanted: float, lowest: float) -> Float64s:
    """Choose for each name the lowest bar from which on its answers are right often enough.

    How often is a weighed mean. All answers above the bar start from their stated probability,
    which counts `PRIOR_FRAMES` frames; each name starts from what was found for all. Frames of a
    dive weigh less the more there are: n of them weigh n / (1 + (n - 1) x correlation). So few
    dives move a bar little, and a name that nobody saw gets the bar of all.

    Args:
        checked: Answers to images of dives that the network did not learn from.
        wanted: Share that should be right, in (0, 1).
        lowest: No bar is below it, whatever the dives say.

    Returns:
        One a name, shape (names,); infinite where no bar is enough.

    Source:
        Kish, "Survey Sampling", 1965 (design effect of clusters); Efron and Morris, "Data
        Analysis Using Stein's Estimator", JASA 1975 (shrinkage towards the mean of all).
    """
    _, dive = np.unique(np.asarray(checked.dives, dtype=np.str_), return_inverse=True)
    bars = np.full(checked.n_names, np.inf)
    for bar in sorted((bar for bar in BARS if bar >= lowest), reverse=True):
        above = checked.scores >= bar
        stated = float(checked.scores[above].mean()) if above.any() else (1 + bar) / 2
        one_name = np.zeros(int(above.sum()), dtype=np.int64)
        is_right = checked.is_right[above]
        of_all = _right_share(is_right, one_name, dive[above], 1, stated)
        of_each = _right_share(
            is_right, checked.names[above], dive[above], checked.n_names, float(of_all[0])
        )
        bars[of_each >= wanted] = bar
    return bars


def _right_share(is_right: Bools, names: Ints, dives: Ints, n_names: int, prior: float) -> Float64s:
    """Return how often each name is right, shape (names,), drawn to `prior`."""
    n_dives = int(dives.max()) + 1 if dives.size else 1
    shape = (n_names, n_dives)
    cell = names * n_dives + dives
    frames = np.bincount(cell, minlength=n_names * n_dives).reshape(shape).astype(np.float64)
    right = np.bincount(cell[is_right], minlength=n_names * n_dives).reshape(shape)
    weight = 1 / (1 + (np.maximum(frames, 1) - 1) * FRAME_CORRELATION)
    total = (frames * weight).sum(axis=1)
    share: Float64s = ((right * weight).sum(axis=1) + PRIOR_FRAMES * prior) / (total + PRIOR_FRAMES)
    return share
