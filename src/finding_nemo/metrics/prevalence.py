"""What share of frames shows something, when frames of a clip are alike and a network errs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from finding_nemo.core.errors import PredictionsError

# Of the normal distribution, for intervals at 95 %.
_Z = 1.959964
# With less between recall and false positive rate, a name says too little of what is there.
LEAST_DIFFERENCE = 0.1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number in [0, 1] and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_known(self) -> bool:
        """Whether all three are numbers."""
        return all(math.isfinite(part) for part in (self.value, self.low, self.high))


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def effective_frames(frames_by_clip: Iterable[int], *, correlation: float) -> float:
    """Return how many independent frames say as much as clips of frames that are alike.

    Args:
        frames_by_clip: How many frames each clip has.
        correlation: Of two frames of one clip, in [0, 1].

    Source:
        Kish, "Survey Sampling", 1965 (design effect of clusters).
    """
    return sum(n / (1 + (n - 1) * correlation) for n in frames_by_clip if n)


def share_with_interval(n_with: int, n_frames: int, n_effective: float) -> Estimate:
    """Return a share with Wilson's interval, which holds at 0 and 1, too.

    Args:
        n_with: Frames that show it.
        n_frames: All.
        n_effective: What `effective_frames` makes of them; at most `n_frames`.

    Raises:
        PredictionsError: If there are more with it than frames, or no frame.

    Source:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    """
    if not 0 <= n_with <= n_frames or n_frames < 1 or n_effective <= 0:
        raise PredictionsError(
            f"A share needs frames, and no more with a name than there are; got {n_with} of "
            f"{n_frames}, which count as {n_effective:g}."
        )
    share, square = n_with / n_frames, _Z * _Z / n_effective
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(square * share * (1 - share) + square * square / 4) / (1 + square)
    return Estimate(share, min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share))


def corrected_share(named: Estimate, recall: Estimate, false_positives: Estimate) -> Estimate:
    """Return the share of frames that show something, from the share that is named so.

    (named - false positive rate) / (recall - false positive rate), within [0, 1]. The interval adds
    up, in squares, how far the ends of the three intervals move it down and up; the three are taken
    as independent.

    Args:
        named: Share of the frames that are named so.
        recall: Share of the frames that show it which are named so (sensitivity).
        false_positives: Share of the frames that do not show it which are named so (1 -
            specificity).

    Returns:
        `UNKNOWN` where one is not known, or recall is less than `LEAST_DIFFERENCE` above the false
        positive rate.

    Source:
        Rogan and Gladen, "Estimating Prevalence from the Results of a Screening Test", American
        Journal of Epidemiology 1978; the interval by Zou and Donner, "Construction of Confidence
        Limits about Effect Measures", Statistics in Medicine 2008.
    """
    parts = (named, recall, false_positives)
    if not all(part.is_known for part in parts):
        return UNKNOWN
    if recall.value - false_positives.value < LEAST_DIFFERENCE:
        return UNKNOWN
    value = _solved(named.value, recall.value, false_positives.value)
    moved = [
        value - _solved(*(end if at == place else part.value for at, part in enumerate(parts)))
        for place, one in enumerate(parts)
        for end in (one.low, one.high)
    ]
    down = math.hypot(*(max(step, 0.0) for step in moved))
    up = math.hypot(*(max(-step, 0.0) for step in moved))
    return Estimate(_within(value), _within(value - down), _within(value + up))


def _solved(named: float, recall: float, false_positives: float) -> float:
    return (named - false_positives) / max(recall - false_positives, LEAST_DIFFERENCE / 2)


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)
