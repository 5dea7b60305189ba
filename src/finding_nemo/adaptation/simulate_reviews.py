"""Reviews as a person would give them, simulated on dives whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from finding_nemo.adaptation.adapt_dive import AdaptedDive, Dive, adapt_dive
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.frame_choice import DiveCoverage
from finding_nemo.adaptation.label_regression import DiveLabels
from finding_nemo.core.arrays import Bools, Float64s, Ints

# Frames looked at, at which the rest is scored: the first two, then what the answers leave open.
STEPS = (2, 5, 10, 20)
# Asked for at a time, before the answers are heard; the page of a review asks for one.
ROUND = 5
# Smaller dives are no dives to adapt: a person would look at them whole.
MIN_FRAMES = 20


@dataclass(frozen=True, kw_only=True)
class TrueDive:
    """A dive whose truth is known.

    Attributes:
        dive: Its frames and base prediction, without labels.
        truth: Whether each category is in each frame, shape (frames, categories).
        fold: The fold whose network did not see the dive.
    """

    dive: Dive
    truth: Bools
    fold: int = 0


@dataclass(frozen=True, kw_only=True)
class SimulatedStep:
    """A dive after some of its frames were looked at.

    Attributes:
        source: The dive.
        reviewed: Rows looked at, in order.
        adapted: What was made of it.
    """

    source: TrueDive
    reviewed: Ints
    adapted: AdaptedDive

    @property
    def rest(self) -> Ints:
        """Rows not looked at that hold something and so have a score."""
        kept = self.source.dive.usable & self.source.truth.any(axis=1)
        kept[self.reviewed] = False
        return np.flatnonzero(kept)


# Takes the dive so far, what is known of it (None before any review), what was reviewed, and how
# many more are wanted; returns their rows.
Policy = Callable[[TrueDive, "AdaptedDive | None", Ints, int], Ints]


def is_counted(dive: TrueDive, step: int) -> bool:
    """Whether a dive is large enough for `step` reviews to be a part of it."""
    return len(dive.truth) >= max(MIN_FRAMES, 2 * step)


def suggested_rows(settings: AdaptationSettings) -> Policy:
    """Return the choice of `suggest`."""

    def choose(dive: TrueDive, known: AdaptedDive | None, reviewed: Ints, count: int) -> Ints:
        coverage = DiveCoverage(
            dive.dive.frames,
            settings.kernel,
            reviewed=reviewed,
            usable=dive.dive.usable,
            uncertainty=None if known is None else known.uncertainty,
        )
        chosen = coverage.choose(count)
        return np.array([frame.row for frame in chosen], dtype=np.int64)

    return choose


def simulate_dive(
    dive: TrueDive,
    settings: AdaptationSettings,
    *,
    policy: Policy | None = None,
    steps: Sequence[int] = STEPS,
    answers: Bools | None = None,
    with_places: bool = True,
) -> Mapping[int, SimulatedStep]:
    """Return the dive after each number of reviews that it is large enough for.

    Args:
        dive: The dive.
        settings: All numbers.
        policy: Who chooses the frames; default what `suggest` does.
        steps: Numbers of frames reviewed, rising; answers are heard after each `ROUND`, too.
        answers: What the reviewer says, shape of the truth; default the truth.
        with_places: Whether clip and time are used.
    """
    choose = policy or suggested_rows(settings)
    reported = dive.truth if answers is None else answers
    reviewed = np.empty(0, dtype=np.int64)
    known: AdaptedDive | None = None
    found: dict[int, SimulatedStep] = {}
    for step in steps:
        if not is_counted(dive, step):
            break
        while len(reviewed) < step:
            more = choose(dive, known, reviewed, min(step - len(reviewed), ROUND))
            if not len(more):
                break
            reviewed = np.concatenate([reviewed, more]).astype(np.int64)
            labels = complete_labels(reviewed, reported)
            known = adapt_dive(replace(dive.dive, labels=labels), settings, with_places=with_places)
        if known is None:
            continue
        found[step] = SimulatedStep(source=dive, reviewed=reviewed, adapted=known)
    return found


def complete_labels(rows: Ints, truth: Bools) -> DiveLabels:
    """Return the labels of frames of which everything was named."""
    return DiveLabels(
        rows=rows, present=truth[rows], known=np.ones((len(rows), truth.shape[1]), dtype=np.bool_)
    )


def no_labels(n_categories: int) -> DiveLabels:
    """Return the labels of a dive at which nobody looked."""
    nothing = np.zeros((0, n_categories), dtype=np.bool_)
    return DiveLabels(rows=np.empty(0, dtype=np.int64), present=nothing, known=nothing)


def with_wrong_answers(dives: Sequence[TrueDive], share: float, *, seed: int = 0) -> list[Bools]:
    """Return answers of which `share` are those of another frame, drawn from all dives."""
    generator = np.random.default_rng(seed)
    pool = np.concatenate([dive.truth for dive in dives])
    found = []
    for dive in dives:
        answers = dive.truth.copy()
        wrong = np.flatnonzero(generator.random(len(answers)) < share)
        answers[wrong] = pool[generator.integers(0, len(pool), wrong.size)]
        found.append(answers)
    return found


def mean_over_frames(scores: Sequence[Float64s]) -> float:
    """Return the mean of all frames' scores, NaN of none."""
    joined = np.concatenate(scores) if scores else np.empty(0)
    return float(joined.mean()) if joined.size else float("nan")
