"""Labels of a few frames carried over to all others of the dive: Gaussian process regression.

A category's label is 0 or 1. Before any review its expectation is a share of the base prediction;
frames stray from it together, as far as their covariance says.

Source:
    Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, section 2.2 (the
    posterior) and equations 5.10 to 5.12 (leave-one-out without fitting again).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.adaptation.covariance import DiveFrames, covariance, own_variance
from finding_nemo.core.arrays import AnyFloats, Bools, Float64s, Ints

# Rows of a covariance at a time: 4,096 by 500 reviewed frames are 16 MB.
_ROWS_AT_A_TIME = 4096


@dataclass(frozen=True, kw_only=True)
class DiveLabels:
    """What is known of the reviewed frames of a dive.

    Attributes:
        rows: Which frames of the dive they are, shape (reviewed,).
        present: Whether a category is in the frame, shape (reviewed, categories).
        known: Whether that was looked for, same shape; all of a row in a complete review.
    """

    rows: Ints
    present: Bools
    known: Bools

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_complete(self) -> Bools:
        """Which reviews are complete, shape (reviewed,)."""
        return np.asarray(self.known.all(axis=1), dtype=np.bool_)


@dataclass(frozen=True)
class Posterior:
    """What is expected of each frame after the reviews.

    Attributes:
        mean: Of each label, shape (frames, categories); near [0, 1], but not held within.
        variance: Of a label around it, shape (frames,), for categories that all reviews cover.
        left_out: Expectation of each reviewed frame by all other reviews, (reviewed, categories).
    """

    mean: Float64s
    variance: Float64s
    left_out: Float64s


def regress_labels(
    frames: DiveFrames, base: AnyFloats, labels: DiveLabels, settings: KernelSettings
) -> Posterior:
    """Return what is expected of each frame of a dive, given the labels of some.

    A category that a partial review did not look for learns nothing from it.

    Args:
        frames: All frames of the dive.
        base: The base prediction, in [0, 1], shape (frames, categories).
        labels: Of the reviewed frames.
        settings: Of the covariance.
    """
    by_time = frames.has_times
    prior = settings.base_share * base.astype(np.float64)
    variance = own_variance(frames, settings, by_time=by_time)
    if not len(labels):
        return Posterior(prior, variance, np.zeros((0, base.shape[1])))
    reviewed = frames.take(labels.rows)
    between = covariance(reviewed, reviewed, settings, by_time=by_time)
    found = learn_from_labels(between, prior[labels.rows], labels, settings)
    mean = prior
    for start in range(0, len(frames), _ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + _ROWS_AT_A_TIME, len(frames)))
        shared = covariance(frames.take(rows), reviewed, settings, by_time=by_time)
        mean[rows] += shared @ found.weights
        variance[rows] = found.variance(shared, variance[rows])
    return Posterior(mean, variance, found.left_out)


@dataclass(frozen=True)
class Learnt:
    """What the reviews of a dive say, before it is carried over to any frame.

    Attributes:
        weights: Of each review in the mean of each category, shape (reviewed, categories).
        inverse: Of the reviews' covariance with its noise, shape (reviewed, reviewed).
        left_out: Expectation of each reviewed frame by all other reviews, (reviewed, categories).
    """

    weights: Float64s
    inverse: Float64s
    left_out: Float64s

    def variance(self, shared: AnyFloats, own: Float64s) -> Float64s:
        """Return the variance that is left to frames, at least 0, shape (frames,).

        Args:
            shared: Covariance of the frames with the reviewed ones, shape (frames, reviewed).
            own: Their variance before any review, shape (frames,).
        """
        left: Float64s = np.maximum(own - ((shared @ self.inverse) * shared).sum(axis=1), 0.0)
        return left


def learn_from_labels(
    between: Float64s, prior: Float64s, labels: DiveLabels, settings: KernelSettings
) -> Learnt:
    """Return what the labels of a dive say, whatever frames it is carried over to.

    Args:
        between: Covariance of the reviewed frames, shape (reviewed, reviewed).
        prior: Their expectation before any review, shape (reviewed, categories).
        labels: Of them, at least one.
        settings: Of the covariance.
    """
    weights, left_out = _solve(between, labels.present - prior, labels, settings.noise)
    noisy: Float64s = between + settings.noise * np.eye(len(labels))
    return Learnt(weights, np.asarray(np.linalg.inv(noisy), np.float64), labels.present - left_out)


def _solve(
    between: Float64s, residual: Float64s, labels: DiveLabels, noise: float
) -> tuple[Float64s, Float64s]:
    """Return each review's weight and its leave-one-out residual, (reviewed, categories).

    Categories that the same reviews looked for are solved together; without partial reviews
    that is one system for all.
    """
    weights, left_out = np.zeros_like(residual), residual.copy()
    patterns, which = np.unique(labels.known, axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        kept = np.flatnonzero(patterns[:, number])
        columns = np.flatnonzero(which.reshape(-1) == number)
        if not kept.size:
            continue
        cells = np.ix_(kept, columns)
        inverse = np.linalg.inv(between[np.ix_(kept, kept)] + noise * np.eye(kept.size))
        solved = inverse @ residual[cells]
        weights[cells] = solved
        left_out[cells] = solved / np.diag(inverse)[:, np.newaxis]
    return weights, left_out
