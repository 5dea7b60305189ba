"""Probabilities that mean what they say, fitted on dives that the network did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.scoring.isotonic import IsotonicCurve, fit_isotonic
from finding_nemo.scoring.unseen_prior import unseen_prior

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Method = Literal["none", "temperature", "frequency", "isotonic", "category"]

_LEAST_IMAGES = 0.5
_LEAST_POSITIVES = 50
_LEAST_DIVES = 5
# So little that no figure shows it, so much that equal calibrated values keep the network's order.
_TIE_BREAK = 1e-6
_SLOPES = np.linspace(0.02, 2.0, 100)


def sigmoid(logits: npt.NDArray[np.floating]) -> Floats:
    """Return 1 / (1 + exp(-logit)) without overflow, same shape."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))
    return result


@dataclass(frozen=True)
class Frequency:
    """How often training saw each category.

    Attributes:
        logits: Of its share of the training images, or of its prior where it has none, shape
            (categories,).
        seen: Whether it has a training image, same shape.
    """

    logits: Floats
    seen: Truth


def training_frequency(
    n_images: npt.NDArray[np.integer], supercategories: Sequence[str], *, n_train: int
) -> Frequency:
    """Return the frequency of categories of which training had `n_images` of `n_train` images."""
    seen = np.asarray(n_images > 0)
    prior = unseen_prior(n_images, supercategories, n_train=n_train)
    share = np.where(seen, n_images / max(n_train, 1), prior)
    # A category in no image or in every image keeps a finite logit: half an image.
    least = _LEAST_IMAGES / max(n_train, 1)
    share = np.clip(share, np.where(seen, least, 1e-9), 1 - least if n_train > 1 else 0.5)
    return Frequency(np.log(share / (1 - share)), seen)


@dataclass(frozen=True)
class LogitCalibration:
    """Logits drawn towards an anchor: anchor + slope x (logit - anchor).

    Attributes:
        anchor: Shape (categories,): 0 for a plain temperature, or the logit of each category's
            frequency in training.
        slope: How far the network is believed in each category, same shape: 1 wholly, 0 not at
            all (a category without a training image keeps its prior). One over a temperature.
    """

    anchor: Floats
    slope: Floats

    def __call__(self, logits: npt.NDArray[np.floating]) -> Floats:
        """Return calibrated probabilities in [0, 1], same shape."""
        return sigmoid(self.anchor + self.slope * (logits.astype(np.float64) - self.anchor))

    def undo(self, probabilities: npt.NDArray[np.floating]) -> Floats:
        """Return the probabilities before calibration, same shape; the prior where slope is 0."""
        said = np.clip(probabilities.astype(np.float64), 1e-9, 1 - 1e-9)
        offset = np.log(said / (1 - said)) - self.anchor
        believed = np.where(self.slope > 0, self.slope, 1.0)
        return sigmoid(self.anchor + np.where(self.slope > 0, offset / believed, 0.0))


@dataclass(frozen=True)
class CurveCalibration:
    """One isotonic curve a category, which several categories may share."""

    curves: tuple[IsotonicCurve, ...]

    def __call__(self, logits: npt.NDArray[np.floating]) -> Floats:
        """Return calibrated probabilities in [0, 1], same shape."""
        columns = [curve(logits[:, j]) for j, curve in enumerate(self.curves)]
        tied: Floats = np.stack(columns, axis=1)
        return (1 - _TIE_BREAK) * tied + _TIE_BREAK * sigmoid(logits)


Calibration = LogitCalibration | CurveCalibration


@dataclass(frozen=True)
class ValidationView:
    """What the network said of validation images, and what was so.

    Attributes:
        logits: Shape (images, categories).
        truth: Same shape.
        dives: The dive of each image.
    """

    logits: npt.NDArray[np.floating]
    truth: Truth
    dives: Sequence[str]


def fit_calibration(
    view: ValidationView,
    *,
    method: Method,
    frequency: Frequency,
    supercategories: Sequence[str] = (),
) -> Calibration:
    """Fit a calibration to validation images.

    Args:
        view: Images of dives that the network did not learn from.
        method: "none"; "temperature"; "frequency" (drawn towards training frequency);
            "isotonic" (one curve for all cells); "category" (a curve for each category with 50
            positives on 5 dives, else for its supercategory, else for all).
        frequency: From `training_frequency`.
        supercategories: Of each category, for "category".

    Raises:
        PredictionsError: If shapes differ, a logit is NaN, or there is no image to fit to.

    Source:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv:1706.04599
        (temperature). Drawing towards frequency is the same one number with another origin.
    """
    nowhere, wholly = np.zeros_like(frequency.logits), np.ones_like(frequency.logits)
    if method == "none":
        return LogitCalibration(nowhere, wholly)
    if view.logits.shape != view.truth.shape or not view.truth.any():
        raise PredictionsError(
            f"Calibration needs validation images with true categories; got logits "
            f"{view.logits.shape}, truth {view.truth.shape} with {int(view.truth.sum())} true."
        )
    if np.isnan(view.logits).any():
        raise PredictionsError("Calibration needs logits that are numbers, got NaN.")
    if method == "temperature":
        return _fit_slope(view, nowhere, wholly)
    if method == "frequency":
        return _fit_slope(view, frequency.logits, frequency.seen.astype(np.float64))
    everything = fit_isotonic(view.logits.ravel(), view.truth.ravel())
    if method == "isotonic":
        return CurveCalibration((everything,) * view.truth.shape[1])
    return CurveCalibration(_curves(view, supercategories, everything))


def _fit_slope(view: ValidationView, anchor: Floats, believed: Floats) -> LogitCalibration:
    """Choose the slope with the least cross-entropy; a grid cannot run away on few images."""
    offset = (view.logits.astype(np.float64) - anchor) * believed
    losses = [_cross_entropy(anchor + slope * offset, view.truth) for slope in _SLOPES]
    return LogitCalibration(anchor, believed * _SLOPES[int(np.argmin(losses))])


def _cross_entropy(logits: Floats, truth: Truth) -> float:
    return float(np.logaddexp(0.0, np.where(truth, -logits, logits)).mean())


def _curves(
    view: ValidationView, supercategories: Sequence[str], everything: IsotonicCurve
) -> tuple[IsotonicCurve, ...]:
    groups = np.asarray(supercategories, dtype=np.str_)
    dives = np.asarray(view.dives, dtype=np.str_)

    def curve(columns: npt.NDArray[np.int64]) -> IsotonicCurve | None:
        truth = view.truth[:, columns]
        holding = truth.any(axis=1)
        if truth.sum() < _LEAST_POSITIVES or len(np.unique(dives[holding])) < _LEAST_DIVES:
            return None
        return fit_isotonic(view.logits[:, columns].ravel(), truth.ravel())

    pooled = {name: curve(np.flatnonzero(groups == name)) for name in np.unique(groups).tolist()}
    return tuple(
        curve(np.array([j])) or pooled[str(group)] or everything for j, group in enumerate(groups)
    )
