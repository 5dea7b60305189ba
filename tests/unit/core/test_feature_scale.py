"""What features are divided by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.feature_scale import scale_of


@pytest.mark.parametrize(
    ("std", "scale"),
    [
        # The mean is 1, a twentieth of it 0.05.
        ([2.0, 1.96, 0.04, 0.0], [2.0, 1.96, 0.05, 0.05]),
        ([1.0, 0.5], [1.0, 0.5]),
        ([0.0, 0.0], [1e-6, 1e-6]),
        ([1e-9], [1e-6]),
    ],
)
def test_scale__by_hand(std: list[float], scale: list[float]) -> None:
    np.testing.assert_allclose(scale_of(np.array(std)), scale)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_scale__equals_a_slow_version(std: list[float]) -> None:
    mean = sum(std) / len(std)
    slow = [one if one > max(mean / 20, 1e-6) else max(mean / 20, 1e-6) for one in std]
    np.testing.assert_allclose(scale_of(np.array(std)), slow)


def test_scale__takes_half_precision() -> None:
    # Their sum overflows float16.
    np.testing.assert_allclose(scale_of(np.full(5000, 60.0, np.float16)), 60)
