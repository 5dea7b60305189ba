"""How good the rest is: by hand, its interval on dives that were not fitted, and the forecast."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.adaptation.adaptation_settings import QualitySettings
from finding_nemo.adaptation.rest_quality import (
    LEVEL,
    QualityClues,
    RestQuality,
    estimate_quality,
    fit_quality,
    frames_to_reach,
    pool_quality,
)
from finding_nemo.metrics.bootstrap import Interval


def _clues(top: float, *, reviewed: int = 4, rest: int = 50) -> QualityClues:
    return QualityClues(
        n_reviewed=reviewed, n_rest=rest, top_probability=top, left_out_ap=0.5, variance=0.3
    )


def test_estimate__is_a_weighted_sum_with_an_interval() -> None:
    settings = QualitySettings(weights=(0.1, 0.8, 0.2, -0.1, 0.06), low=-0.5, high=0.2, few=4.0)
    found = estimate_quality(_clues(0.75), settings)
    value = 0.1 + 0.8 * 0.75 + 0.2 * 0.5 - 0.1 * 0.3 + 0.06 * 0.5
    assert found.map_at_20 == pytest.approx(value)
    scale = (0.03 + 1 - value) * 2
    assert found.interval.low == pytest.approx(value - 0.5 * scale)
    assert found.interval.high == pytest.approx(min(value + 0.2 * scale, 1))


def test_interval__of_fitted_clues_covers_new_dives() -> None:
    rng = np.random.default_rng(1)

    def drawn(count: int) -> tuple[list[QualityClues], list[float]]:
        tops = rng.uniform(0.4, 1.0, count)
        so = np.clip(tops + (1.03 - tops) * rng.normal(0, 0.15, count), 0, 1)
        return [_clues(float(top)) for top in tops], so.tolist()

    settings = fit_quality(*drawn(400), decay=0.7)
    clues, truth = drawn(400)
    found = [estimate_quality(clue, settings).interval for clue in clues]
    held = np.mean([i.low <= so <= i.high for i, so in zip(found, truth, strict=True)])
    assert held == pytest.approx(LEVEL, abs=0.05)


def _quality(value: float, low: float, high: float, n_rest: int) -> RestQuality:
    return RestQuality(value, Interval(low, high, LEVEL), n_rest)


def test_pooled__is_the_mean_over_frames_and_narrower() -> None:
    parts = [_quality(0.9, 0.8, 1.0, 30), _quality(0.7, 0.5, 0.9, 10)]
    found = pool_quality(parts)
    assert found is not None
    assert found.map_at_20 == pytest.approx(0.85)
    assert found.n_rest == 40
    halves = np.array([0.075, 0.05])
    half = np.sqrt(0.65 * (halves**2).sum() + 0.35 * halves.sum() ** 2)
    assert found.interval.low == pytest.approx(0.85 - half)
    assert found.interval.high == pytest.approx(0.85 + half)
    assert pool_quality([]) is None


def test_forecast__lets_the_loss_fall_as_fitted() -> None:
    settings = QualitySettings(decay=1.0)
    parts = [(_quality(0.8, 0.7, 0.9, 1000), 4)]
    # The loss 0.2 halves when frames and one more double: 4 + 1 to 9 + 1.
    assert frames_to_reach(0.9, parts, settings) == 5
    assert frames_to_reach(0.8, parts, settings) == 0
    assert frames_to_reach(0.9999, parts, settings) is None
    assert frames_to_reach(0.99, [(_quality(0.8, 0.7, 0.9, 3), 4)], settings) == 3
    assert frames_to_reach(0.9, [], settings) == 0
