"""Accumulation of categories: by hand, and against every choice of samples."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import PredictionsError
from finding_nemo.metrics.accumulation import accumulation_curve, chao2


def test_curve_by_hand() -> None:
    # Of four samples one category is in all, one in two, one in one; of two samples chosen:
    # 1 + (1 - C(2,2)/C(4,2)) + (1 - C(3,2)/C(4,2)) = 1 + 5/6 + 1/2
    found = accumulation_curve(np.array([4, 2, 1, 0]), 4, np.array([0, 1, 2, 4]))
    assert found.expected.tolist() == pytest.approx([0, 7 / 4, 1 + 5 / 6 + 1 / 2, 3])
    assert (found.low <= found.expected).all()
    # Chao2 is 3 + 3/4 x 1/2 = 3.375; at all samples the variance is 3 - 9 / 3.375 = 1/3.
    assert found.high[-1] - 3 == pytest.approx(1.959964 * math.sqrt(1 / 3))


def test_total_by_hand() -> None:
    # 10 samples, 5 categories, 2 in one sample and 1 in two: 5 + 0.9 x 4 / 2 = 6.8
    found = chao2(np.array([1, 1, 2, 5, 10]), 10)
    assert found.found == 5
    assert found.estimate == pytest.approx(6.8)
    # m = 0.9, r = 2: 1 x (0.9 x 4 / 2 + 0.81 x 8 + 0.81 x 16 / 4) = 1.8 + 6.48 + 3.24
    assert found.variance == pytest.approx(11.52)
    factor = math.exp(1.959964 * math.sqrt(math.log(1 + 11.52 / 1.8**2)))
    assert (found.low, found.high) == pytest.approx((5 + 1.8 / factor, 5 + 1.8 * factor))
    # No category in two samples: 3 + 0.9 x 3 x 2 / 2 = 5.7
    assert chao2(np.array([1, 1, 1]), 10).estimate == pytest.approx(5.7)
    sure = chao2(np.array([3, 4]), 10)
    assert (sure.estimate, sure.low, sure.high) == (2, 2, 2)
    assert chao2(np.array([], dtype=np.int64), 0).estimate == 0


def test_counts_that_cannot_be__are_refused() -> None:
    with pytest.raises(PredictionsError, match="in 3 of 2 samples"):
        chao2(np.array([3]), 2)
    with pytest.raises(PredictionsError, match="says nothing of 1 to 3"):
        accumulation_curve(np.array([1]), 2, np.array([1, 3]))


@given(st.lists(st.sets(st.integers(0, 4)), min_size=1, max_size=6))
@settings(max_examples=40)
def test_curve__is_the_mean_over_every_choice(samples: list[set[int]]) -> None:
    incidence = np.array([sum(kind in one for one in samples) for kind in range(5)])
    at = np.arange(len(samples) + 1)
    found = accumulation_curve(incidence, len(samples), at)
    for n in at.tolist():
        seen = [len(set().union(*chosen)) for chosen in combinations(samples, n)]
        assert found.expected[n] == pytest.approx(np.mean(seen))
    assert chao2(incidence, len(samples)).estimate >= (incidence > 0).sum()
