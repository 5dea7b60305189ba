"""The ranking that is shown: by hand, by a slow version, and what it leaves as it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from finding_nemo.metrics.average_precision import average_precision_by_category
from finding_nemo.uncertainty.calibration import (
    Frequency,
    FrequencyLine,
    ValidationView,
    fit_calibration,
    fit_frequency_line,
    training_frequency,
)
from finding_nemo.uncertainty.opinion_pool import (
    FREQUENCY_WEIGHT,
    PULL_SHARE,
    OpinionPool,
    fit_opinion_pool,
)

GROUPS = ("Fish", "Fish", "Crab")


def _view(*, pulled: float = 0.0, n: int = 2000) -> ValidationView:
    """Return honest logits, each moved by `pulled` times the logit of its frequency."""
    generator = np.random.default_rng(0)
    honest = generator.normal(-1.0, 1.5, (n, 3))
    truth = generator.random((n, 3)) < 1 / (1 + np.exp(-honest))
    return ValidationView(honest + pulled * _frequency().logits, truth, ["a"] * n)


def _frequency() -> Frequency:
    return training_frequency(np.array([300, 100, 10]), np.array([9, 9, 2]), GROUPS, n_train=400)


def test_pool__by_hand() -> None:
    # Seen in half of the images, in a tenth, and never (prior 0.01).
    frequency = Frequency(
        np.array([0.0, math.log(1 / 9), math.log(1 / 99)]), np.array([True, True, False])
    )
    pool = OpinionPool.of_line(FrequencyLine(2.0, -1.0, 0.6), frequency, weight=0.2)
    # 0.6 of the share 0.6: offsets -1 + 0.36 x 0, -1 + 0.36 x ln(1/9); the unseen one its prior.
    first = 1 / (1 + math.exp(-(2.0 * 0.5 - 1.0)))
    second = 1 / (1 + math.exp(-(2.0 * 1.5 - 1.0 + 0.36 * math.log(1 / 9))))
    expected = [first + 0.2 * 0.5, second + 0.2 * 0.1, 0.01 + 0.2 * 0.01]
    assert pool(np.array([[0.5, 1.5, 9.0]]))[0].tolist() == pytest.approx(expected)


def test_pool__has_the_measured_numbers_by_default() -> None:
    assert (FREQUENCY_WEIGHT, PULL_SHARE) == (0.1, 0.6)


def test_pool__is_fitted_as_a_slow_version_says() -> None:
    view, frequency = _view(pulled=-0.4), _frequency()
    often = np.tile(frequency.logits, len(view.logits))
    slow = LogisticRegression(C=1e9, tol=1e-10).fit(
        np.stack([view.logits.ravel(), often], axis=1), view.truth.ravel()
    )
    slope, share = slow.coef_[0].tolist()
    offset = float(slow.intercept_[0])
    assert share == pytest.approx(0.4, abs=0.1)
    pool = fit_opinion_pool(view, frequency)
    for row in range(5):
        for column in range(3):
            logit = slope * view.logits[row, column] + offset
            logit += 0.6 * share * frequency.logits[column]
            share_of_images = 1 / (1 + math.exp(-frequency.logits[column]))
            expected = 1 / (1 + math.exp(-logit)) + 0.1 * share_of_images
            assert pool(view.logits)[row, column] == pytest.approx(expected, abs=0.01)


def test_frequency__is_never_pulled_away_from() -> None:
    # The network holds half of frequency's logit too much: free, the share would be -0.5.
    view, frequency = _view(pulled=0.5), _frequency()
    line = fit_frequency_line(view, frequency)
    assert line.share == 0
    slow = LogisticRegression(C=1e9, tol=1e-10).fit(view.logits.reshape(-1, 1), view.truth.ravel())
    assert line.slope == pytest.approx(float(slow.coef_[0, 0]), abs=0.01)
    assert line.offset == pytest.approx(float(slow.intercept_[0]), abs=0.01)
    fitted = fit_calibration(view, method="frequency", frequency=frequency)
    np.testing.assert_array_equal(
        np.argsort(fitted(view.logits), axis=1), np.argsort(view.logits, axis=1)
    )


def test_neither_is_reversed__slope_and_share_both_end_at_nothing() -> None:
    view, frequency = _view(), _frequency()
    # Truth is likelier where the network says less, and in rare categories.
    said = -view.logits + 3 * frequency.logits
    rare = np.random.default_rng(1).random(said.shape) < [0.05, 0.2, 0.6]
    line = fit_frequency_line(ValidationView(said, rare, view.dives), frequency)
    assert line.slope >= 0
    assert line.share == 0


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 2))
def test_within_a_category__average_precision_is_that_of_the_logit(
    seed: int, weight: float, share: float
) -> None:
    generator = np.random.default_rng(seed)
    logits, truth = generator.normal(0, 2, (30, 3)), generator.random((30, 3)) < 0.4
    frequency = _frequency()
    line = FrequencyLine(0.7, -0.2, share)
    pool = OpinionPool.of_line(line, frequency, weight=weight)
    expected = average_precision_by_category(truth, logits)
    for scores in (pool(logits), line.calibration(frequency)(logits)):
        np.testing.assert_allclose(average_precision_by_category(truth, scores), expected)


def test_tensors__hold_all_of_it() -> None:
    pool = fit_opinion_pool(_view(), _frequency())
    again = OpinionPool.of(pool.tensors())
    logits = _view().logits[:9]
    np.testing.assert_array_equal(again(logits), pool(logits))
    assert again.weight == pool.weight
