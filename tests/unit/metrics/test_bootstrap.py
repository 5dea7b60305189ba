"""Intervals by dive against a slow loop and cases where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.bootstrap import (
    dive_bootstrap_interval,
    dive_mean_interval,
    mean_over_dives,
    paired_dive_bootstrap,
    share_interval,
)

_VALUES = np.array([0.0, 0.2, 1.0, 0.9, 0.5])
_DIVES = ["a", "a", "b", "b", "c"]


def slow_interval(values: np.ndarray, dives: list[str], draws: int) -> tuple[float, float]:
    """Draw dives one by one and pool their images."""
    rng = np.random.default_rng(1)
    names = sorted(set(dives))
    means = []
    for _ in range(draws):
        drawn = rng.choice(names, size=len(names))
        pooled = [v for name in drawn for v, d in zip(values, dives, strict=True) if d == name]
        means.append(np.mean(pooled))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def test_interval__agrees_with_drawing_dives_one_by_one() -> None:
    interval = dive_bootstrap_interval(_VALUES, _DIVES, draws=20_000)
    low, high = slow_interval(_VALUES, _DIVES, 20_000)
    assert interval.low == pytest.approx(low, abs=0.02)
    assert interval.high == pytest.approx(high, abs=0.02)


def test_interval__is_much_wider_than_if_frames_were_independent() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 50)
    by_dive = dive_bootstrap_interval(values, list(np.repeat(list("abcd"), 50)))
    by_frame = dive_bootstrap_interval(values, [str(i) for i in range(200)])
    assert by_dive.high - by_dive.low > 4 * (by_frame.high - by_frame.low)


def test_interval__leaves_out_nan_and_is_a_point_for_one_dive() -> None:
    interval = dive_bootstrap_interval(np.array([0.2, np.nan, 0.4]), ["a", "b", "a"])
    assert interval.low == pytest.approx(0.3)
    assert interval.high == pytest.approx(0.3)


def test_interval__same_seed_gives_the_same_numbers() -> None:
    assert dive_bootstrap_interval(_VALUES, _DIVES, seed=3) == dive_bootstrap_interval(
        _VALUES, _DIVES, seed=3
    )


def test_mean_over_dives__each_dive_counts_once() -> None:
    assert mean_over_dives(_VALUES, _DIVES) == pytest.approx((0.1 + 0.95 + 0.5) / 3)
    interval = dive_mean_interval(_VALUES, _DIVES)
    assert interval.low <= mean_over_dives(_VALUES, _DIVES) <= interval.high


def test_paired__a_constant_gain_is_certain() -> None:
    paired = paired_dive_bootstrap(_VALUES + 0.1, _VALUES, _DIVES)
    assert paired.mean == pytest.approx(0.1)
    assert paired.interval.low == pytest.approx(0.1)
    assert paired.share_above_zero == 1.0


def test_bootstrap__says_what_is_wrong() -> None:
    with pytest.raises(PredictionsError, match="2 dives"):
        dive_bootstrap_interval(np.ones(3), ["a", "b"])
    with pytest.raises(PredictionsError, match="at least one number"):
        dive_bootstrap_interval(np.array([np.nan]), ["a"])
    with pytest.raises(PredictionsError, match="same images"):
        paired_dive_bootstrap(np.ones(2), np.ones(3), ["a", "b"])


def _chance_of_all(share: float, n_dives: int) -> float:
    """The chance that every dive is right, dive by dive."""
    chance = 1.0
    for _ in range(n_dives):
        chance *= share
    return chance


@pytest.mark.parametrize("n_dives", [2, 3, 10, 200])
def test_share_interval__of_dives_that_all_say_the_same_counts_each_dive_once(n_dives: int) -> None:
    dives = [f"d{number % n_dives}" for number in range(3 * n_dives)]
    right = np.ones(len(dives), dtype=np.bool_)
    found = share_interval(right, dives)
    assert found.high == 1.0
    # With that share, one survey in forty has no dive that is wrong.
    assert _chance_of_all(found.low, n_dives) == pytest.approx(0.025)
    wrong = share_interval(~right, dives)
    assert wrong.low == 0.0
    assert wrong.high == pytest.approx(1 - found.low)
    assert share_interval(right, dives, level=0.5).low > found.low


def test_share_interval__by_hand() -> None:
    two = share_interval(np.array([True, True]), ["a", "b"])
    assert two.low == pytest.approx(np.sqrt(0.025))
    one = share_interval(np.array([True, False]), ["a", "a"])
    assert np.isnan([one.low, one.high]).all()
    mixed = np.array([True, False, True, True])
    dives = ["a", "a", "b", "c"]
    assert share_interval(mixed, dives) == dive_bootstrap_interval(mixed.astype(float), dives)
    with pytest.raises(PredictionsError, match="at least one number"):
        share_interval(np.array([], dtype=np.bool_), [])
