"""How many categories so many samples show, on the mean; and how many there may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Float64s, Ints
from finding_nemo.core.errors import PredictionsError

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class CategoryTotal:
    """How many categories there may be.

    Attributes:
        found: Those of the samples.
        estimate: With those that no sample shows; at least `found`.
        low: Lower end of its 95 % interval.
        high: Upper end.
        variance: Of the estimate.
    """

    found: int
    estimate: float
    low: float
    high: float
    variance: float


@dataclass(frozen=True, slots=True)
class AccumulationCurve:
    """Expected categories by number of samples.

    Attributes:
        n_samples: Shape (points,), rising.
        expected: Mean number of categories in so many samples, drawn without order.
        low: Lower end of the 95 % interval for other samples of the same kind.
        high: Upper end.
    """

    n_samples: Ints
    expected: Float64s
    low: Float64s
    high: Float64s


def accumulation_curve(incidence: Ints, n_samples: int, at: Ints) -> AccumulationCurve:
    """Return how many categories so many of the samples show, on the mean over all choices of them.

    Args:
        incidence: In how many samples each category is, shape (categories,); zeros count nothing.
        n_samples: All samples.
        at: Numbers of samples, each in 0 to `n_samples`.

    Raises:
        PredictionsError: If a category is in more samples than there are, or `at` leaves the range.

    Source:
        Colwell, Chao, Gotelli, Lin, Mao, Chazdon and Longino, "Models and Estimators Linking
        Individual-Based and Sample-Based Rarefaction, Extrapolation and Comparison of
        Assemblages", Journal of Plant Ecology 2012 (rarefaction of sample-based incidence).
    """
    total = chao2(incidence, n_samples)
    if len(at) and not (at.min() >= 0 and at.max() <= n_samples):
        raise PredictionsError(
            f"A curve of {n_samples:,} samples says nothing of {at.min():,} to {at.max():,}."
        )
    counts = incidence[incidence > 0].astype(np.int64)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n_samples + 1)))])
    without = n_samples - counts[:, np.newaxis]
    is_possible = at <= without
    left = np.where(is_possible, without - at, 0)
    missed = np.where(
        is_possible,
        np.exp(
            log_factorial[without]
            - log_factorial[left]
            - log_factorial[n_samples]
            + log_factorial[n_samples - at]
        ),
        0.0,
    )
    shown = 1.0 - np.minimum(missed, 1.0)
    expected = shown.sum(axis=0)
    spread = (shown**2).sum(axis=0) - expected**2 / max(total.estimate, 1.0)
    half = _Z * np.sqrt(np.maximum(spread, 0.0))
    return AccumulationCurve(at, expected, np.maximum(expected - half, 0.0), expected + half)


def chao2(incidence: Ints, n_samples: int) -> CategoryTotal:
    """Return how many categories there may be, from those that one or two samples show.

    Where nothing hints at others, as with no category that a single sample shows, the estimate is
    what was found, and so is its interval. A wrong name in one sample counts as a rare category.

    Args:
        incidence: In how many samples each category is, shape (categories,); zeros count nothing.
        n_samples: All samples.

    Raises:
        PredictionsError: If a category is in more samples than there are.

    Source:
        Chao, "Estimating the Population Size for Capture-Recapture Data with Unequal
        Catchability", Biometrics 1987 (estimator, variance and log-normal interval).
    """
    counts = incidence[incidence > 0]
    if len(counts) and counts.max() > n_samples:
        raise PredictionsError(
            f"A category cannot be in {counts.max():,} of {n_samples:,} samples."
        )
    found, once, twice = len(counts), int((counts == 1).sum()), int((counts == 2).sum())
    shrink = (n_samples - 1) / n_samples if n_samples else 0.0
    if twice:
        ratio = once / twice
        more = shrink * once * ratio / 2
        variance = twice * (shrink * ratio**2 / 2 + shrink**2 * ratio**3 + shrink**2 * ratio**4 / 4)
    else:
        more = shrink * once * (once - 1) / 2
        variance = (
            more
            + shrink**2 * once * (2 * once - 1) ** 2 / 4
            - (shrink**2 * once**4 / (4 * (found + more)) if once else 0.0)
        )
    if more <= 0 or variance <= 0:
        return CategoryTotal(found, float(found), float(found), float(found), 0.0)
    factor = math.exp(_Z * math.sqrt(math.log1p(variance / more**2)))
    return CategoryTotal(
        found, found + more, found + more / factor, found + more * factor, variance
    )
