"""Frames looked at against MAP@20 of the rest: `suggest` beside simpler ways and floors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from finding_nemo.adaptation.adapt_dive import AdaptedDive
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.covariance import DiveFrames
from finding_nemo.adaptation.simulate_reviews import (
    STEPS,
    Policy,
    SimulatedStep,
    TrueDive,
    is_counted,
    mean_over_frames,
    simulate_dive,
)
from finding_nemo.core.arrays import Float64s, Ints
from finding_nemo.core.errors import DatasetError
from finding_nemo.metrics.average_precision import macro_average_precision
from finding_nemo.metrics.bootstrap import PairedDifference, paired_dive_bootstrap
from finding_nemo.metrics.ranking import average_precision_at_k

SUGGESTED = "suggested frames"
TIME_FLOOR = "floor: the same frames, copied by time alone"
SHARE_FLOOR = "floor: the same frames, share of each category"
BASE = "no frame looked at"

# From a state of a dive to the scores of its frames, (frames, categories).
Scores = Callable[[SimulatedStep], Float64s]


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """One way at one number of frames looked at.

    Attributes:
        way: Who chose the frames, and what was made of them.
        n_reviewed: Frames looked at in each dive.
        ap: AP@20 of each frame of the rest.
        dives: The dive of each.
        macro_ap: Mean AP over the categories that occur in the rest.
    """

    way: str
    n_reviewed: int
    ap: Float64s
    dives: tuple[str, ...]
    macro_ap: float

    @property
    def map_at_20(self) -> float:
        """Mean over frames."""
        return mean_over_frames([self.ap])


@dataclass(frozen=True)
class ReviewCurve:
    """All ways at all numbers of frames, and what `suggest` is better by on the same frames.

    Attributes:
        points: By way, then by number.
        against_time: By number: suggested frames against the time floor, both told the same.
    """

    points: tuple[CurvePoint, ...]
    against_time: Mapping[int, PairedDifference] = field(default_factory=dict)

    def of(self, way: str) -> list[CurvePoint]:
        """Return the points of one way, by rising number."""
        return [point for point in self.points if point.way == way]


def review_curve(
    dives: Sequence[TrueDive],
    settings_of: Callable[[TrueDive], AdaptationSettings],
    *,
    steps: Sequence[int] = STEPS,
    seed: int = 0,
) -> ReviewCurve:
    """Return the curve of `dives` by every way.

    Args:
        dives: With their truth.
        settings_of: The settings of a dive, chosen without it.
        steps: Numbers of frames looked at.
        seed: Of the random choice.

    Raises:
        DatasetError: If no dive is large enough.
    """
    counted = [dive for dive in dives if is_counted(dive, min(steps))]
    if not counted:
        raise DatasetError(
            f"A curve needs a dive of at least 20 frames, got {len(dives)} smaller ones."
        )
    points: list[CurvePoint] = []
    own = [simulate_dive(dive, settings_of(dive), steps=steps) for dive in counted]
    for way, scores in (
        (SUGGESTED, _adapted),
        (TIME_FLOOR, copied_by_time),
        (SHARE_FLOOR, reviewed_shares),
        (BASE, _base),
    ):
        points += _points(way, own, scores, steps)
    for way, policy in simpler_ways(seed).items():
        found = [simulate_dive(d, settings_of(d), policy=policy, steps=steps) for d in counted]
        points += _points(way, found, _adapted, steps)
    return ReviewCurve(tuple(points), _against_time(points, steps))


def _points(
    way: str,
    simulated: Sequence[Mapping[int, SimulatedStep]],
    scores: Scores,
    steps: Sequence[int],
) -> list[CurvePoint]:
    found = []
    for count in steps:
        states = [states[count] for states in simulated if count in states]
        states = [state for state in states if state.rest.size]
        if not states:
            continue
        truth = np.concatenate([state.source.truth[state.rest] for state in states])
        values = np.concatenate([scores(state)[state.rest] for state in states])
        names = tuple(state.source.dive.name for state in states for _ in state.rest)
        found.append(
            CurvePoint(
                way=way,
                n_reviewed=count,
                ap=average_precision_at_k(truth, values),
                dives=names,
                macro_ap=macro_average_precision(truth, values),
            )
        )
    return found


def _against_time(
    points: Sequence[CurvePoint], steps: Sequence[int]
) -> dict[int, PairedDifference]:
    by_way = {(point.way, point.n_reviewed): point for point in points}
    return {
        count: paired_dive_bootstrap(
            by_way[SUGGESTED, count].ap,
            by_way[TIME_FLOOR, count].ap,
            by_way[SUGGESTED, count].dives,
        )
        for count in steps
        if (SUGGESTED, count) in by_way
    }


def _adapted(step: SimulatedStep) -> Float64s:
    return step.adapted.probabilities


def _base(step: SimulatedStep) -> Float64s:
    return step.source.dive.base.astype(np.float64)


def reviewed_shares(step: SimulatedStep) -> Float64s:
    """Return the share of each category among the reviewed frames, with a little of the base."""
    share = step.source.truth[step.reviewed].mean(axis=0)
    found: Float64s = 0.8 * share + 0.2 * _base(step)
    return found


def copied_by_time(step: SimulatedStep) -> Float64s:
    """Return labels copied by nearness in clip and time, with a little of the base.

    It opens no image but those looked at; the kernel is the one that the sketch of the method had.
    """
    frames = step.source.dive.frames
    weights = _time_weights(frames, frames.take(step.reviewed))
    copied = weights @ step.source.truth[step.reviewed]
    found: Float64s = 0.8 * copied + 0.2 * _base(step)
    return found


def _time_weights(frames: DiveFrames, reviewed: DiveFrames) -> Float64s:
    if frames.has_times:
        apart = np.abs(frames.times_s[:, np.newaxis] - reviewed.times_s)
        near = 2 * np.exp(-apart / 60.0) + np.exp(-apart / 600.0)
    else:
        is_same = frames.clips[:, np.newaxis] == reviewed.clips
        apart = np.nan_to_num(np.abs(frames.numbers[:, np.newaxis] - reviewed.numbers), nan=1e9)
        near = is_same * (2 * np.exp(-apart / 20.0) + 1.0)
    weights = np.exp(near)
    found: Float64s = weights / weights.sum(axis=1, keepdims=True)
    return found


def simpler_ways(seed: int) -> dict[str, Policy]:
    """Return the other ways to choose frames, by name."""
    generator = np.random.default_rng(seed)

    def at_random(dive: TrueDive, known: object, reviewed: Ints, count: int) -> Ints:
        left = np.setdiff1d(np.flatnonzero(dive.dive.usable), reviewed)
        return generator.permutation(left)[:count]

    def farthest(dive: TrueDive, known: object, reviewed: Ints, count: int) -> Ints:
        return _farthest_first(dive, reviewed, count)

    def least_sure(dive: TrueDive, known: AdaptedDive | None, reviewed: Ints, count: int) -> Ints:
        base = dive.dive.base.astype(np.float64)
        unsure = (base * (1 - base)).sum(axis=1) if known is None else known.uncertainty.copy()
        unsure = np.where(dive.dive.usable, unsure, -np.inf)
        unsure[reviewed] = -np.inf
        return np.argsort(-unsure, kind="stable")[:count]

    return {"random frames": at_random, "farthest first": farthest, "least sure first": least_sure}


def _farthest_first(dive: TrueDive, reviewed: Ints, count: int) -> Ints:
    frames = dive.dive.frames
    if frames.features is None:
        return np.setdiff1d(np.flatnonzero(dive.dive.usable), reviewed)[:count]
    features = frames.features.astype(np.float64)
    chosen = [int(row) for row in reviewed]
    if not chosen:  # the first is the most typical one
        typical = np.where(dive.dive.usable, features @ features.mean(axis=0), -np.inf)
        chosen.append(int(np.argmax(typical)))
    while len(chosen) < len(reviewed) + count:
        nearest = (features @ features[chosen].T).max(axis=1)
        nearest = np.where(dive.dive.usable, nearest, np.inf)
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
    return np.array(chosen[len(reviewed) :], dtype=np.int64)


def settings_by_fold(
    dives: Sequence[TrueDive], tune: Callable[[Sequence[TrueDive]], AdaptationSettings]
) -> Callable[[TrueDive], AdaptationSettings]:
    """Return the settings of each dive, tuned on the dives of all other folds.

    With one fold they are tuned on every other dive in two halves, each for the other.
    """
    folds = sorted({dive.fold for dive in dives})
    if len(folds) == 1:
        names = sorted({dive.dive.name for dive in dives})
        half = {name: number % 2 for number, name in enumerate(names)}
        dives = [replace(dive, fold=half[dive.dive.name]) for dive in dives]
        found = {
            fold: tune([dive for dive in dives if dive.fold != fold])
            for fold in sorted(set(half.values()))
        }
        return lambda dive: found[half[dive.dive.name]]
    by_fold = {fold: tune([dive for dive in dives if dive.fold != fold]) for fold in folds}
    return lambda dive: by_fold[dive.fold]
