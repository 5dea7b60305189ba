"""A bundle's own numbers: between defaults and tuned by hand, kept, read again, refused if odd."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.adaptation.adaptation_settings import (
    DEFAULTS,
    AdaptationSettings,
    CalibrationSettings,
    KernelSettings,
    QualitySettings,
)
from finding_nemo.adaptation.shrunk_settings import (
    between,
    fit_own_settings,
    settings_of_metadata,
    settings_to_json,
)
from finding_nemo.adaptation.simulate_reviews import TrueDive
from finding_nemo.adaptation.tune_adaptation import tune_on

_OTHER = AdaptationSettings(
    kernel=KernelSettings(dive=0.52, near_s=120.0),
    calibration=CalibrationSettings(slope=4.07, offset=-0.7),
    quality=QualitySettings(weights=(0.0, 1.0, 0.05, -0.031, 0.072), low=-1.0),
)


def test_between__by_hand() -> None:
    half = between(DEFAULTS, _OTHER, 0.5)
    # Variances and reaches by factors: the middle of 0.13 and 4 times that is twice as much.
    assert half.kernel.dive == pytest.approx(0.26)
    assert half.kernel.near_s == pytest.approx(60.0)
    assert half.kernel.clip == pytest.approx(DEFAULTS.kernel.clip)
    assert (half.calibration.slope, half.calibration.offset) == pytest.approx((3.07, -0.2))
    assert half.quality.weights[:2] == pytest.approx((0.203, 0.7715))
    assert half.quality.low == pytest.approx(-0.832)


@given(st.floats(0, 1))
def test_between__equals_the_slow_version(weight: float) -> None:
    found = between(DEFAULTS, _OTHER, weight)
    for name, value in asdict(DEFAULTS.kernel).items():
        wanted = value * (getattr(_OTHER.kernel, name) / value) ** weight
        assert math.isclose(getattr(found.kernel, name), wanted, rel_tol=1e-9)
    for name, value in asdict(DEFAULTS.calibration).items():
        wanted = value + weight * (getattr(_OTHER.calibration, name) - value)
        assert math.isclose(getattr(found.calibration, name), wanted, abs_tol=1e-12)


def test_few_dives__keep_the_defaults(draw_dive: Callable[..., TrueDive]) -> None:
    choice = fit_own_settings([draw_dive(seed=seed) for seed in range(4)])
    assert choice.value == DEFAULTS
    assert "has 4 dives of at least 20 frames; 5 are needed" in choice.in_words


def test_own_numbers__lie_between_the_defaults_and_the_tuned(
    draw_dive: Callable[..., TrueDive], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finding_nemo.adaptation.shrunk_settings._DRAWS", 1)
    dives = [draw_dive(seed=seed, n_frames=20) for seed in range(5)]
    choice = fit_own_settings(dives)
    # Five dives beside the 68 that the defaults rest on.
    assert choice.value == between(DEFAULTS, tune_on(dives, draws=1), 5 / 73)
    assert "5 validation dives, which weigh 7 %" in choice.in_words


def test_settings__are_read_as_they_were_written() -> None:
    own = replace(DEFAULTS, kernel=KernelSettings(dive=0.2))
    stored = json.loads(json.dumps(settings_to_json(own)))
    choice = settings_of_metadata({"adaptation_settings": stored})
    assert choice.value == own
    assert choice.shown == "the bundle's own"
    choice = settings_of_metadata({"adaptation": {"settings": stored}})
    assert choice.value == DEFAULTS
    assert "brings none of its own" in choice.reason


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["kernel"].update(dive=-1.0),
        lambda s: s["kernel"].update(dive=float("nan")),
        lambda s: s["kernel"].update(noise=True),
        lambda s: s["calibration"].update(slope="2"),
        lambda s: s["calibration"].update(slope=float("inf")),
        lambda s: s["quality"].update(weights=[1.0]),
        lambda s: s["quality"].pop("low"),
        lambda s: s.pop("kernel"),
        lambda s: s.update(quality=None),
        lambda s: s.update(quality=[1]),
    ],
)
def test_odd_settings__are_told_and_not_used(change: Any) -> None:
    stored = json.loads(json.dumps(settings_to_json(DEFAULTS)))
    change(stored)
    choice = settings_of_metadata({"adaptation_settings": stored})
    assert choice.value is DEFAULTS
    assert "those of the file cannot be used" in choice.reason
    assert settings_of_metadata({"adaptation_settings": 3}).value is DEFAULTS
