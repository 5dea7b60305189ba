"""Shares of frames and their correction: by hand, and against slow versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.prevalence import (
    UNKNOWN,
    Estimate,
    corrected_share,
    effective_frames,
    share_with_interval,
)


def test_effective_frames__count_a_long_clip_as_a_few() -> None:
    # 1 alone; 11 alike at 0.2: 11 / (1 + 10 x 0.2) = 11 / 3
    assert effective_frames([1, 11, 0], correlation=0.2) == pytest.approx(1 + 11 / 3)
    assert effective_frames([7, 3], correlation=0.0) == 10
    assert effective_frames([7, 3], correlation=1.0) == 2


def test_share__has_wilsons_interval() -> None:
    # 0 of 10: the upper end is z^2 / (n + z^2) = 3.8415 / 13.8415
    none = share_with_interval(0, 10, 10)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(3.8415 / 13.8415, abs=1e-4)
    # 5 of 10: 0.5 -+ sqrt(z^2/40 + z^4/400) / (1 + z^2/10), half = 0.2634
    half = share_with_interval(5, 10, 10)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert share_with_interval(5, 10, 2.0).high > half.high
    for with_it, frames, effective in ((3, 2, 2.0), (0, 0, 1.0), (-1, 2, 1.0), (0, 2, 0.0)):
        with pytest.raises(PredictionsError, match="A share needs frames"):
            share_with_interval(with_it, frames, effective)


@given(st.integers(1, 60), st.data())
def test_share__ends_where_a_score_test_does(n: int, data: st.DataObject) -> None:
    n_with = data.draw(st.integers(0, n))
    found = share_with_interval(n_with, n, n)
    grid = np.linspace(0, 1, 20_001)
    spread = np.sqrt(grid * (1 - grid) / n)
    kept = grid[np.abs(n_with / n - grid) <= 1.959964 * spread + 1e-12]
    assert (found.low, found.high) == pytest.approx((kept.min(), kept.max()), abs=2e-4)


def test_correction_by_hand() -> None:
    # 0.30 named; 0.80 of those that show it, 0.05 of the others: (0.30 - 0.05) / 0.75 = 1/3
    named = Estimate(0.30, 0.25, 0.35)
    found = corrected_share(named, Estimate(0.8, 0.8, 0.8), Estimate(0.05, 0.05, 0.05))
    assert found.value == pytest.approx(1 / 3)
    # Only the share moves: 0.05 / 0.75 to either side.
    assert found.high - found.value == pytest.approx(0.05 / 0.75)
    assert found.value - found.low == pytest.approx(0.05 / 0.75)
    # The share, 0.05 / 0.75, and recall down to 0.5: 0.25 / 0.45 - 1/3, add up in squares.
    wide = corrected_share(named, Estimate(0.8, 0.5, 0.8), Estimate(0.05, 0.05, 0.05))
    assert wide.high - wide.value == pytest.approx(math.hypot(0.05 / 0.75, 0.25 / 0.45 - 1 / 3))
    assert wide.low == found.low


def test_correction__stays_a_share_and_is_not_made_up() -> None:
    sure = Estimate(0.8, 0.7, 0.9)
    none = corrected_share(Estimate(0.0, 0.0, 0.1), sure, Estimate(0.02, 0.01, 0.03))
    assert (none.value, none.low) == (0.0, 0.0)
    assert 0 < none.high < 1
    every = corrected_share(Estimate(1.0, 0.9, 1.0), sure, Estimate(0.0, 0.0, 0.0))
    assert (every.value, every.high) == (1.0, 1.0)
    assert corrected_share(UNKNOWN, sure, sure) is UNKNOWN
    weak = Estimate(0.1, 0.05, 0.2)
    assert corrected_share(weak, weak, Estimate(0.05, 0.0, 0.1)) is UNKNOWN


@given(st.floats(0.0, 1.0), st.floats(0.3, 1.0), st.floats(0.0, 0.15), st.integers(1000, 2000))
def test_correction__finds_the_share_that_made_the_names(
    share: float, recall: float, false: float, n: int
) -> None:
    with_it = round(share * n)
    named = (with_it * recall + (n - with_it) * false) / n
    exact = [Estimate(one, one, one) for one in (named, recall, false)]
    found = corrected_share(*exact)
    assert found.value == pytest.approx(with_it / n, abs=1e-6)
    assert found.low == pytest.approx(found.high, abs=1e-9)
