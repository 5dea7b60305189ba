"""Intervals that know that frames of one dive are not independent: whole dives are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.core.errors import PredictionsError


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        level: How often such an interval should hold the truth, in (0, 1).
    """

    low: float
    high: float
    level: float = 0.95


def dive_bootstrap_interval(
    values: Float64s, dives: Sequence[str], *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the interval of the mean over images when dives are drawn with replacement.

    Args:
        values: One number an image, shape (images,); NaN entries are left out.
        dives: The dive of each image.
        draws: Number of bootstrap samples.
        seed: Seed of the draws.
        level: Coverage wanted, in (0, 1).

    Returns:
        The percentile interval; both ends are the mean where there is one dive only.

    Raises:
        PredictionsError: If the lengths differ or no number is left.

    Source:
        Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8
        (resampling whole clusters).
    """
    sums, counts = _per_dive(values, dives)
    means = _drawn_means(sums, counts, draws=draws, seed=seed)
    return _percentiles(means, level)


def share_interval(
    is_right: Bools, dives: Sequence[str], *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the interval of the share of images that are right, by dive.

    Where all images are right, or none, every draw of dives says the same, however few there are.
    Then a dive counts as one trial, as if its frames told no more than one of them, and the
    interval is exact for so many trials.

    Args:
        is_right: One value an image, shape (images,).
        dives: The dive of each image.
        draws: Number of bootstrap samples.
        seed: Seed of the draws.
        level: Coverage wanted, in (0, 1).

    Returns:
        The interval; both ends NaN where there is one dive only.

    Raises:
        PredictionsError: If the lengths differ or there is no image.

    Source:
        Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of
        the Binomial", Biometrika 1934.
    """
    values = is_right.astype(np.float64)
    sums, counts = _per_dive(values, dives)
    n_dives = len(counts)
    if n_dives == 1:
        return Interval(low=float("nan"), high=float("nan"), level=level)
    if 0 < sums.sum() < counts.sum():
        return dive_bootstrap_interval(values, dives, draws=draws, seed=seed, level=level)
    # The share that gives so many trials of one kind with a chance of (1 - level) / 2.
    end = float(((1 - level) / 2) ** (1 / n_dives))
    return Interval(end, 1.0, level) if sums.any() else Interval(0.0, 1.0 - end, level)


def dive_mean_interval(
    values: Float64s, dives: Sequence[str], *, draws: int = 2000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Return the interval of the mean over dives (each dive counts once)."""
    sums, counts = _per_dive(values, dives)
    ones = np.ones_like(sums)
    return _percentiles(_drawn_means(sums / counts, ones, draws=draws, seed=seed), level)


def mean_over_dives(values: Float64s, dives: Sequence[str]) -> float:
    """Return the mean over dives of each dive's mean; NaN entries are left out."""
    sums, counts = _per_dive(values, dives)
    return float((sums / counts).mean())


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much better the first of two methods is, on the same images.

    Attributes:
        mean: Mean of first minus second over images.
        interval: Interval of that mean when dives are drawn.
        share_above_zero: Share of draws in which the first is better, in [0, 1].
    """

    mean: float
    interval: Interval
    share_above_zero: float


def paired_dive_bootstrap(
    first: Float64s,
    second: Float64s,
    dives: Sequence[str],
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> PairedDifference:
    """Compare two methods image by image, drawing dives with replacement.

    Args:
        first: One number an image, shape (images,).
        second: The other method's numbers of the same images.
        dives: The dive of each image.
        draws: Number of bootstrap samples.
        seed: Seed of the draws.
        level: Coverage wanted, in (0, 1).

    Raises:
        PredictionsError: If the lengths differ or no number is left.
    """
    if first.shape != second.shape:
        raise PredictionsError(
            f"A paired comparison needs the same images, got {first.shape} and {second.shape}."
        )
    difference = first - second
    sums, counts = _per_dive(difference, dives)
    means = _drawn_means(sums, counts, draws=draws, seed=seed)
    return PairedDifference(
        mean=float(np.nanmean(difference)),
        interval=_percentiles(means, level),
        share_above_zero=float((means > 0).mean()),
    )


def _per_dive(values: Float64s, dives: Sequence[str]) -> tuple[Float64s, Float64s]:
    if values.shape != (len(dives),):
        raise PredictionsError(
            f"One value an image is needed, got shape {values.shape} for {len(dives)} dives."
        )
    kept = ~np.isnan(values)
    if not kept.any():
        raise PredictionsError("An interval needs at least one number, got none.")
    _, dive_index = np.unique(np.asarray(dives, dtype=np.str_)[kept], return_inverse=True)
    sums = np.bincount(dive_index, weights=values[kept]).astype(np.float64)
    counts = np.bincount(dive_index).astype(np.float64)
    return sums, counts


def _drawn_means(sums: Float64s, counts: Float64s, *, draws: int, seed: int) -> Float64s:
    generator = np.random.default_rng(seed)
    n_dives = sums.size
    # How often each dive is drawn is multinomial: one matrix product instead of a loop.
    weights = generator.multinomial(n_dives, np.full(n_dives, 1 / n_dives), size=draws)
    means: Float64s = (weights @ sums) / (weights @ counts)
    return means


def _percentiles(means: Float64s, level: float) -> Interval:
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high), level=level)
