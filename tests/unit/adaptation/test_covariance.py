"""The covariance of a dive's frames, by hand, by a slow version, and as a kernel."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.adaptation.covariance import (
    NO_CLIP,
    DiveFrames,
    covariance,
    own_variance,
    unit_rows,
)
from finding_nemo.adaptation.simulate_reviews import TrueDive

_SETTINGS = KernelSettings(
    dive=1.0,
    clip=2.0,
    moment=4.0,
    features=8.0,
    features_in_clip=16.0,
    likeness_scale=0.5,
    near_frames=2.0,
    near_s=10.0,
    far_s=100.0,
)


def frames(**changes: object) -> DiveFrames:
    known: dict[str, object] = {
        "features": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=np.float32),
        "clips": np.array([0, 0, 1]),
        "numbers": np.array([3.0, 5.0, 5.0]),
        "times_s": np.full(3, np.nan),
    }
    return DiveFrames(**(known | changes))  # type: ignore[arg-type]


def test_covariance__is_the_sum_of_what_frames_share() -> None:
    made = covariance(frames(), frames(), _SETTINGS, by_time=False)
    orthogonal = math.exp(-2)  # cosine 0, scale 0.5
    assert made[0, 1] == pytest.approx(1 + 2 + 4 * math.exp(-1) + 24 * orthogonal)
    assert made[0, 2] == pytest.approx(1 + 8)  # another clip, the same look
    assert made[1, 2] == pytest.approx(1 + 8 * orthogonal)
    assert np.allclose(made, made.T)


def test_covariance__by_time_needs_no_clip() -> None:
    timed = frames(times_s=np.array([0.0, 10.0, 100.0]))
    made = covariance(timed, timed, _SETTINGS, by_time=True)
    stretch = math.exp(-0.1)
    wanted = 1 + 2 * stretch + 4 * math.exp(-1) + (8 + 16 * stretch) * math.exp(-2)
    assert made[0, 1] == pytest.approx(wanted)
    assert timed.has_times
    assert not frames(times_s=np.array([0.0, 10.0, np.nan])).has_times


def test_covariance__of_nothing_known_is_that_of_the_dive() -> None:
    blind = frames(features=None).without_places()
    assert (covariance(blind, blind, _SETTINGS, by_time=False) == 1.0).all()
    assert (blind.clips == NO_CLIP).all()
    assert (own_variance(blind, _SETTINGS, by_time=False) == 1.0).all()


@pytest.mark.parametrize("timed", [False, True])
def test_own_variance__is_the_diagonal(timed: bool) -> None:
    times = np.array([0.0, 9.0, 50.0]) if timed else np.full(3, np.nan)
    some = frames(times_s=times, numbers=np.array([1.0, np.nan, 2.0]))
    made = covariance(some, some, _SETTINGS, by_time=timed)
    assert np.allclose(np.diag(made), own_variance(some, _SETTINGS, by_time=timed))


def test_covariance__is_positive_definite(draw_dive: Callable[..., TrueDive]) -> None:
    drawn = draw_dive(seed=4).dive.frames
    made = covariance(drawn, drawn, KernelSettings(), by_time=False)
    assert np.linalg.eigvalsh(made).min() > -1e-6


def test_unit_rows__leaves_zeros() -> None:
    made = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert made.tolist() == [[0.6, 0.8], [0.0, 0.0]]
