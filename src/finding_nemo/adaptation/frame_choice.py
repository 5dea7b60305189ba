"""Which frames to look at: those that stand for most of what is not yet well known."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.adaptation.covariance import DiveFrames, covariance
from finding_nemo.core.arrays import AnyFloats, Bools, Float32s, Float64s, Ints

# Frames of a dive that may be chosen and are covered; of a longer dive, so many evenly spaced.
MAX_LANDMARKS = 1000
_LANDMARKS_AT_A_TIME = 250
# Frames of one second say the same.
_SAME_MOMENT_S = 1.0
# Weight of a frame that is certain, where the least certain one has 1 more.
_CERTAIN_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class ChosenFrame:
    """A frame to look at.

    Attributes:
        row: Which frame of its dive.
        gain: How much better the dive is covered by it, in frames.
        n_like: How many frames, itself among them, are more like it than like any other that was
            looked at or chosen.
        uncertainty: Mean uncertainty of those, compared with the dive's most uncertain frame, in
            [0, 1]; 1 before any review.
    """

    row: int
    gain: float
    n_like: int
    uncertainty: float


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """The frames of a dive that may be chosen and are covered, with what they share.

    Attributes:
        rows: Which frames of the dive they are, shape (landmarks,).
        frames: The same frames.
        shared: Their covariance, float32, shape (landmarks, landmarks).
        scale: How many readable frames stand behind each.
        by_time: Whether the dive's frames are placed by their times.
    """

    rows: Ints
    frames: DiveFrames
    shared: Float32s
    scale: float
    by_time: bool


def landmarks_of(
    rows: Ints, frames: DiveFrames, settings: KernelSettings, *, n_usable: int, by_time: bool
) -> Landmarks:
    """Return landmarks of a dive with what they share.

    Args:
        rows: What `landmark_rows` gave.
        frames: These frames of the dive.
        settings: Of the covariance.
        n_usable: Readable frames of the dive.
        by_time: Whether all of the dive's frames have a time.
    """
    shared = np.empty((len(rows), len(rows)), dtype=np.float32)
    # In parts: the terms of a thousand by a thousand are 60 MB.
    for start in range(0, len(rows), _LANDMARKS_AT_A_TIME):
        part = np.arange(start, min(start + _LANDMARKS_AT_A_TIME, len(rows)))
        shared[part] = covariance(frames.take(part), frames, settings, by_time=by_time)
    scale = n_usable / max(len(rows), 1)
    return Landmarks(rows=rows, frames=frames, shared=shared, scale=scale, by_time=by_time)


class DiveCoverage:
    """Chooses the frames of one dive one after the other, each the best after those before it.

    The gain of a frame never grows when others were chosen (the function is submodular), so this
    is within 63 % of the best possible choice of as many.

    Source:
        Nemhauser, Wolsey and Fisher, "An analysis of approximations for maximizing submodular set
        functions", 1978; facility location of Wei, Iyer and Bilmes, "Submodularity in Data Subset
        Selection and Active Learning", ICML 2015.
    """

    def __init__(
        self,
        frames: DiveFrames,
        settings: KernelSettings,
        *,
        reviewed: Ints,
        usable: Bools | None = None,
        uncertainty: Float64s | None = None,
    ) -> None:
        """Begin with what was reviewed.

        Args:
            frames: All frames of the dive.
            settings: Of the covariance.
            reviewed: Rows that were looked at, or may not be asked for but are known.
            usable: Rows that can be looked at at all; default all.
            uncertainty: Of each frame after those reviews, at least 0; default all alike.
        """
        able = np.ones(len(frames), dtype=np.bool_) if usable is None else usable
        rows, by_time = landmark_rows(frames, np.flatnonzero(able)), frames.has_times
        marks = landmarks_of(
            rows, frames.take(rows), settings, n_usable=int(able.sum()), by_time=by_time
        )
        known = frames.take(reviewed)
        covered = covariance(known, marks.frames, settings, by_time=by_time) if len(rows) else None
        self._begin(marks, reviewed, covered, known.times_s, uncertainty)

    @classmethod
    def over(
        cls,
        marks: Landmarks,
        *,
        reviewed: Ints,
        covered: AnyFloats,
        times_s: Float64s,
        uncertainty: Float64s | None,
        closed: Ints,
    ) -> DiveCoverage:
        """Begin with landmarks that are known already.

        Args:
            marks: Of the dive.
            reviewed: Rows that were looked at.
            covered: What each of those shares with each landmark, shape (reviewed, landmarks).
            times_s: When each of those was filmed, NaN where unknown.
            uncertainty: Of each frame of the dive, at least 0; default all alike.
            closed: Rows that nobody looked at and that may not be chosen.
        """
        found = cls.__new__(cls)
        found._begin(marks, reviewed, covered, times_s, uncertainty)
        found._open &= ~np.isin(marks.rows, closed)
        return found

    def _begin(
        self,
        marks: Landmarks,
        reviewed: Ints,
        covered: AnyFloats | None,
        times_s: Float64s,
        uncertainty: Float64s | None,
    ) -> None:
        self._rows, self._frames, self._scale = marks.rows, marks.frames, marks.scale
        self._shared = marks.shared
        most = 0.0 if uncertainty is None else float(uncertainty.max(initial=0.0))
        if uncertainty is None or most <= 0:
            self._uncertain = np.ones(len(self._rows))
        else:
            self._uncertain = uncertainty[self._rows] / most
        self._weights = (_CERTAIN_WEIGHT + self._uncertain).astype(np.float32)
        self._covered = np.zeros(len(self._rows), dtype=np.float32)
        self._open = ~np.isin(self._rows, reviewed)
        if covered is not None and reviewed.size and len(self._rows):
            self._covered = covered.max(axis=0).astype(np.float32)
            self._close_moments(times_s)
        self._has_begun = bool(reviewed.size)
        # What a frame would gain when it was last asked; never less than it gains now.
        self._at_most = np.maximum(self._shared - self._covered, 0.0) @ self._weights

    def choose(self, count: int) -> list[ChosenFrame]:
        """Return up to `count` frames to look at, best first."""
        before = self._covered
        columns: list[int] = []
        gains: list[float] = []
        for _ in range(count):
            column, gain = self._best()
            if column < 0:
                break
            columns.append(column)
            gains.append(gain)
            self._covered = np.maximum(self._covered, self._shared[column])
            self._open[column] = False
            self._close_moments(self._frames.times_s[[column]])
        return self._described(columns, gains, before)

    def _described(
        self, columns: list[int], gains: list[float], before: Float32s
    ) -> list[ChosenFrame]:
        """Return the choice with the frames that each stands for: those that it is most like."""
        if not columns:
            return []
        shared = self._shared[columns]
        most_like = np.where(shared.max(axis=0) > before, shared.argmax(axis=0), -1)
        most_like[columns] = np.arange(len(columns))
        found = []
        for position, (column, gain) in enumerate(zip(columns, gains, strict=True)):
            own = most_like == position
            uncertainty = float(self._uncertain[own].mean()) if self._has_begun else 1.0
            n_like = max(round(float(own.sum() * self._scale)), 1)
            found.append(ChosenFrame(int(self._rows[column]), gain, n_like, uncertainty))
        return found

    def _best(self) -> tuple[int, float]:
        """Return the best open column and its gain: few are computed, the others cannot win.

        Source:
            Minoux, "Accelerated greedy algorithms for maximizing submodular set functions", 1978.
        """
        while self._open.any():
            column = int(np.argmax(np.where(self._open, self._at_most, -np.inf)))
            gain = self._gain(column)
            if gain >= self._at_most[column]:
                return column, float(gain * self._scale)
            self._at_most[column] = gain
        return -1, 0.0

    def _gain(self, column: int) -> np.float32:
        more = np.maximum(self._shared[column] - self._covered, 0.0)
        return np.float32(more @ self._weights)

    def _close_moments(self, times_s: Float64s) -> None:
        """Take frames of the seconds that were looked at out of the choice, if others remain."""
        for time_s in times_s[~np.isnan(times_s)]:
            others = self._open & ~(np.abs(self._frames.times_s - time_s) < _SAME_MOMENT_S)
            if others.any():
                self._open = others


def landmark_rows(frames: DiveFrames, usable: Ints) -> Ints:
    """Return the readable frames that may be chosen: all, or so many evenly spaced in time."""
    if usable.size <= MAX_LANDMARKS:
        return usable
    order = usable[
        np.lexsort((frames.numbers[usable], frames.clips[usable], frames.times_s[usable]))
    ]
    spaced = np.linspace(0, usable.size - 1, MAX_LANDMARKS).round().astype(np.int64)
    return np.sort(order[spaced])


def most_useful(
    choices: Sequence[Sequence[ChosenFrame]], budget: int
) -> list[tuple[int, ChosenFrame]]:
    """Return which dive and frame to look at, the most useful of all dives first.

    Args:
        choices: Of each dive its frames in the order in which they were chosen: each is worth less
            than the one before it, so their order is kept.
        budget: How many frames in all.
    """
    numbered = [[(dive, frame) for frame in chosen] for dive, chosen in enumerate(choices)]
    merged = heapq.merge(*numbered, key=lambda pair: -pair[1].gain)
    return list(islice(merged, budget))
