"""Whether probabilities mean what they say: calibration error, Brier score, reliability bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import PredictionsError

N_BINS = 15


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cells of about one probability.

    Attributes:
        n_cells: Pairs of image and category.
        mean_probability: What was said.
        share_true: What was so.
    """

    n_cells: int
    mean_probability: float
    share_true: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far probabilities can be taken at their word.

    Attributes:
        ece: Expected calibration error over bins of equal mass, in [0, 1]; lower is better.
        brier: Mean squared distance from 0 or 1 over all cells, in [0, 1]; lower is better.
        bins: In order of probability.
    """

    ece: float
    brier: float
    bins: tuple[ReliabilityBin, ...]


def measure_reliability(
    truth: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.floating], *, n_bins: int = N_BINS
) -> Reliability:
    """Compare probabilities with what was so, over all cells (image, category) pooled.

    Args:
        truth: Shape (images, categories).
        probabilities: In [0, 1], same shape, no NaN.
        n_bins: Bins with equally many cells, in order of probability.

    Raises:
        PredictionsError: If the shapes differ, there is no cell, or a value is NaN.

    Source:
        Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian
        Binning", AAAI 2015, with bins of equal mass; Brier, 1950.
    """
    probability, so = _cells(truth, probabilities)
    bins = [
        ReliabilityBin(len(part), float(probability[part].mean()), float(so[part].mean()))
        for part in _equal_bins(probability, n_bins)
    ]
    gaps = sum(b.n_cells * abs(b.mean_probability - b.share_true) for b in bins)
    return Reliability(
        ece=gaps / probability.size, brier=float(((probability - so) ** 2).mean()), bins=tuple(bins)
    )


def _cells(
    truth: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.floating]
) -> tuple[Float64s, Float64s]:
    if truth.shape != probabilities.shape or not truth.size:
        raise PredictionsError(
            f"Reliability needs one probability a cell, got {truth.shape} and "
            f"{probabilities.shape}."
        )
    probability = probabilities.ravel().astype(np.float64)
    if np.isnan(probability).any():
        raise PredictionsError("Reliability needs probabilities, got NaN.")
    return probability, truth.ravel().astype(np.float64)


def _equal_bins(probability: Float64s, n_bins: int) -> list[npt.NDArray[np.int64]]:
    order = np.argsort(probability, kind="stable")
    return np.array_split(order, min(n_bins, probability.size))


def chance_calibration_error(
    truth: npt.NDArray[np.bool_],
    probabilities: npt.NDArray[np.floating],
    dives: Sequence[str],
    *,
    n_bins: int = N_BINS,
) -> float:
    """Return the calibration error that perfect probabilities would show on as few dives.

    A dive's frames are alike, so the share that is true in a bin strays from what was said even
    where what was said is right. Each bin's gap gets its standard error from the spread between
    dives; a normal gap around zero is 0.8 standard errors wide in the mean. An error near this
    figure cannot be told from none.

    Args:
        truth: Shape (images, categories).
        probabilities: In [0, 1], same shape, no NaN.
        dives: The dive of each image.
        n_bins: As for `measure_reliability`.

    Returns:
        An error in [0, 1]; NaN with fewer than two dives.

    Raises:
        PredictionsError: As `measure_reliability`.

    Source:
        Liang and Zeger, "Longitudinal Data Analysis Using Generalized Linear Models", Biometrika
        1986 (the standard error of a mean over clusters).
    """
    probability, so = _cells(truth, probabilities)
    names, position = np.unique(np.asarray(dives, dtype=np.str_), return_inverse=True)
    if len(names) < 2:
        return float("nan")
    dive_of = np.repeat(position, truth.shape[1])
    widths = [
        len(part) * _clustered_error((probability - so)[part], dive_of[part], len(names))
        for part in _equal_bins(probability, n_bins)
    ]
    return math.sqrt(2 / math.pi) * sum(widths) / probability.size


def _clustered_error(gaps: Float64s, dive_of: npt.NDArray[np.int64], n_dives: int) -> float:
    """Return the standard error of the mean gap, dives being what is drawn at random."""
    strays = np.bincount(dive_of, weights=gaps - gaps.mean(), minlength=n_dives)
    return math.sqrt(float((strays**2).sum()) * n_dives / (n_dives - 1)) / len(gaps)
