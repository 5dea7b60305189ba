"""Frames to look at: those of a slow greedy search, never two of one second, a shared budget."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from finding_nemo.adaptation import frame_choice
from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.adaptation.covariance import DiveFrames, covariance
from finding_nemo.adaptation.frame_choice import ChosenFrame, DiveCoverage, most_useful
from finding_nemo.adaptation.simulate_reviews import TrueDive
from finding_nemo.core.arrays import Float64s, Ints

_NOBODY = np.empty(0, dtype=np.int64)
_SETTINGS = KernelSettings()


def _slow(frames: DiveFrames, count: int, reviewed: Ints, weights: Float64s) -> list[int]:
    shared = covariance(frames, frames, _SETTINGS, by_time=frames.has_times)
    covered = shared[reviewed].max(axis=0) if reviewed.size else np.zeros(len(frames))
    chosen: list[int] = []
    for _ in range(count):
        gains = [
            -1.0
            if row in chosen or row in reviewed
            else float((np.maximum(shared[row] - covered, 0) * weights).sum())
            for row in range(len(frames))
        ]
        chosen.append(int(np.argmax(gains)))
        covered = np.maximum(covered, shared[chosen[-1]])
    return chosen


def test_choice__is_that_of_a_slow_greedy_search(draw_dive: Callable[..., TrueDive]) -> None:
    frames = draw_dive(seed=5).dive.frames
    found = DiveCoverage(frames, _SETTINGS, reviewed=_NOBODY).choose(8)
    assert [frame.row for frame in found] == _slow(frames, 8, _NOBODY, np.ones(40))
    gains = [frame.gain for frame in found]
    assert gains == sorted(gains, reverse=True)


def test_choice__after_reviews_weighs_what_is_uncertain(
    draw_dive: Callable[..., TrueDive],
) -> None:
    frames = draw_dive(seed=6).dive.frames
    uncertainty = np.linspace(0, 2, 40)
    reviewed = np.array([4, 30])
    found = DiveCoverage(frames, _SETTINGS, reviewed=reviewed, uncertainty=uncertainty).choose(6)
    assert [frame.row for frame in found] == _slow(frames, 6, reviewed, 0.1 + uncertainty / 2)


def test_first_frames__stand_for_every_stretch(draw_dive: Callable[..., TrueDive]) -> None:
    dive = draw_dive(seed=7)
    found = DiveCoverage(dive.dive.frames, _SETTINGS, reviewed=_NOBODY).choose(4)
    assert {int(dive.truth[frame.row].argmax()) for frame in found} == {0, 1, 2, 3}
    assert sum(frame.n_like for frame in found) == 40
    assert {frame.uncertainty for frame in found} == {1.0}


def test_choice__asks_for_no_two_frames_of_one_second() -> None:
    rng = np.random.default_rng(0)
    times = np.concatenate([np.linspace(0, 0.9, 10), [50.0, 100.0]])
    features = rng.normal(size=(12, 30)).astype(np.float32)  # ten unlike frames of one second
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    frames = DiveFrames(
        features=features, clips=np.zeros(12, dtype=np.int64), numbers=times, times_s=times
    )
    found = DiveCoverage(frames, _SETTINGS, reviewed=_NOBODY).choose(3)
    assert sorted(min(frame.row, 9) if frame.row < 10 else frame.row for frame in found)[1:] == [
        10,
        11,
    ]
    # When nothing else is left, they are asked for after all.
    assert len(DiveCoverage(frames, _SETTINGS, reviewed=_NOBODY).choose(20)) == 3


def test_choice__leaves_out_what_cannot_be_looked_at(draw_dive: Callable[..., TrueDive]) -> None:
    frames = draw_dive(seed=8, n_frames=20).dive.frames
    usable = np.arange(20) % 2 == 0
    found = DiveCoverage(frames, _SETTINGS, reviewed=np.array([2]), usable=usable).choose(50)
    assert {frame.row for frame in found} == set(range(0, 20, 2)) - {2}


def test_long_dive__is_chosen_from_evenly_spaced_frames(
    draw_dive: Callable[..., TrueDive], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_choice, "MAX_LANDMARKS", 10)
    frames = draw_dive(seed=9).dive.frames
    found = DiveCoverage(frames, _SETTINGS, reviewed=_NOBODY).choose(20)
    assert len(found) == 10
    assert sum(frame.n_like for frame in found) == 40


def test_budget__goes_where_it_gains_most() -> None:
    def chosen(*gains: float) -> list[ChosenFrame]:
        return [ChosenFrame(row, gain, 1, 1.0) for row, gain in enumerate(gains)]

    found = most_useful([chosen(9, 2, 1), [], chosen(5, 4)], 4)
    assert [(dive, frame.gain) for dive, frame in found] == [(0, 9), (2, 5), (2, 4), (0, 2)]
