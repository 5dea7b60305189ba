"""Labels carried over: one review by hand, many against conditioning one frame at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.adaptation.covariance import DiveFrames, covariance
from finding_nemo.adaptation.label_regression import DiveLabels, regress_labels
from finding_nemo.adaptation.simulate_reviews import TrueDive, complete_labels, no_labels
from finding_nemo.core.arrays import Float64s

_SETTINGS = KernelSettings()


def _blind(count: int) -> DiveFrames:
    nothing = np.full(count, np.nan)
    return DiveFrames(features=None, clips=np.full(count, -1), numbers=nothing, times_s=nothing)


def test_one_review__moves_all_frames_by_what_they_share() -> None:
    settings = KernelSettings(dive=0.3, noise=0.1, base_share=0.5)
    base = np.array([[0.4], [0.2]])
    labels = complete_labels(np.array([0]), np.array([[True], [False]]))
    found = regress_labels(_blind(2), base, labels, settings)
    # The prior is 0.2 and 0.1; the residual 0.8 counts 0.3 / (0.3 + 0.1).
    assert found.mean[:, 0] == pytest.approx([0.2 + 0.75 * 0.8, 0.1 + 0.75 * 0.8])
    assert found.variance == pytest.approx([0.3 - 0.09 / 0.4] * 2)
    assert found.left_out[0, 0] == pytest.approx(0.2)  # nothing but the prior without it


def test_no_review__leaves_the_share_of_the_base() -> None:
    base = np.array([[0.4, 0.6]])
    found = regress_labels(_blind(1), base, no_labels(2), KernelSettings(base_share=0.5))
    assert found.mean.tolist() == [[0.2, 0.3]]


def _one_after_the_other(dive: TrueDive, labels: DiveLabels, column: int) -> Float64s:
    """Condition a joint Gaussian on one label at a time (rank-one updates), for one category."""
    frames = dive.dive.frames
    shared = covariance(frames, frames, _SETTINGS, by_time=False)
    mean = _SETTINGS.base_share * dive.dive.base[:, column].astype(np.float64)
    for position, row in enumerate(labels.rows):
        if labels.known[position, column]:
            spread = shared[row, row] + _SETTINGS.noise
            mean = mean + shared[:, row] * (labels.present[position, column] - mean[row]) / spread
            shared = shared - np.outer(shared[:, row], shared[row]) / spread
    return mean


def _partial(dive: TrueDive) -> DiveLabels:
    labels = complete_labels(np.array([3, 17, 31, 8]), dive.truth)
    known = labels.known.copy()
    known[1] = labels.present[1]  # only what is there was named
    known[3, :2] = False
    return replace(labels, known=known)


def test_posterior__is_that_of_labels_taken_one_after_the_other(
    draw_dive: Callable[..., TrueDive],
) -> None:
    dive = draw_dive(seed=1)
    labels = _partial(dive)
    found = regress_labels(dive.dive.frames, dive.dive.base, labels, _SETTINGS)
    for column in range(4):
        assert np.allclose(found.mean[:, column], _one_after_the_other(dive, labels, column))


def test_left_out__is_a_fit_without_that_review(draw_dive: Callable[..., TrueDive]) -> None:
    dive = draw_dive(seed=2)
    labels = complete_labels(np.array([1, 12, 25, 39]), dive.truth)
    found = regress_labels(dive.dive.frames, dive.dive.base, labels, _SETTINGS)
    for left_out in range(4):
        others = complete_labels(np.delete(labels.rows, left_out), dive.truth)
        again = regress_labels(dive.dive.frames, dive.dive.base, others, _SETTINGS)
        assert np.allclose(found.left_out[left_out], again.mean[labels.rows[left_out]])


def test_a_category_that_nobody_looked_for__keeps_its_prior(
    draw_dive: Callable[..., TrueDive],
) -> None:
    dive = draw_dive(seed=3)
    labels = complete_labels(np.array([0, 20]), dive.truth)
    known = labels.known.copy()
    known[:, 2] = False
    found = regress_labels(
        dive.dive.frames, dive.dive.base, replace(labels, known=known), _SETTINGS
    )
    assert np.allclose(found.mean[:, 2], _SETTINGS.base_share * dive.dive.base[:, 2])
