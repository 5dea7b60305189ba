"""Whether probabilities mean what they say: calibration error, Brier score, reliability bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    if truth.shape != probabilities.shape or not truth.size:
        raise PredictionsError(
            f"Reliability needs one probability a cell, got {truth.shape} and "
            f"{probabilities.shape}."
        )
    said = probabilities.ravel().astype(np.float64)
    if np.isnan(said).any():
        raise PredictionsError("Reliability needs probabilities, got NaN.")
    so = truth.ravel().astype(np.float64)
    order = np.argsort(said, kind="stable")
    bins = [
        ReliabilityBin(len(part), float(said[part].mean()), float(so[part].mean()))
        for part in np.array_split(order, min(n_bins, said.size))
    ]
    gaps = sum(b.n_cells * abs(b.mean_probability - b.share_true) for b in bins)
    return Reliability(
        ece=gaps / said.size, brier=float(((said - so) ** 2).mean()), bins=tuple(bins)
    )
