"""Adapted scores as probabilities: order kept, and a known line found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finding_nemo.adaptation.adaptation_settings import CalibrationSettings
from finding_nemo.adaptation.adapted_calibration import calibrate_scores, fit_calibration
from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import SettingsError


def test_calibration__is_a_line_of_logits_that_variance_turns() -> None:
    settings = CalibrationSettings(
        slope=2.0, slope_by_variance=-0.5, offset=0.1, offset_by_variance=0.2
    )
    found = calibrate_scores(np.array([[0.5, 0.8]]), np.array([1.0]), settings)
    logits = np.array([0.3, 1.5 * np.log(4) + 0.3])
    assert found[0] == pytest.approx(1 / (1 + np.exp(-logits)))


@given(arrays(np.float64, (3, 5), elements=st.floats(-0.4, 1.4)))
def test_calibration__keeps_the_order_of_a_frame(scores: Float64s) -> None:
    settings = CalibrationSettings(slope=0.5, slope_by_variance=-3.0)
    found = calibrate_scores(scores, np.array([0.0, 0.5, 2.0]), settings)
    assert ((found >= 0) & (found <= 1)).all()
    for before, after in zip(scores, found, strict=True):
        assert (np.diff(after[np.argsort(before)]) >= 0).all()


def test_fit__finds_the_line_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.01, 0.99, (20000, 3))
    variance = rng.uniform(0.2, 1.5, 20000)
    made = CalibrationSettings(
        slope=1.6, slope_by_variance=-0.4, offset=0.5, offset_by_variance=-0.3
    )
    truth = rng.random((20000, 3)) < calibrate_scores(scores, variance, made)
    found = fit_calibration(scores, variance, truth)
    assert found.slope == pytest.approx(1.6, abs=0.15)
    assert found.slope_by_variance == pytest.approx(-0.4, abs=0.15)
    assert found.offset == pytest.approx(0.5, abs=0.2)
    assert found.offset_by_variance == pytest.approx(-0.3, abs=0.2)


def test_fit__needs_both_kinds_of_labels() -> None:
    with pytest.raises(SettingsError, match="true and some that are not"):
        fit_calibration(np.full((2, 2), 0.5), np.ones(2), np.zeros((2, 2), dtype=np.bool_))
