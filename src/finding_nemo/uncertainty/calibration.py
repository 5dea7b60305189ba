"""Probabilities that mean what they say, fitted on dives that the network did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.names.registries import find_entry, registry
from finding_nemo.uncertainty.isotonic import IsotonicCurve, fit_isotonic
from finding_nemo.uncertainty.logistic import fit_logistic, sigmoid
from finding_nemo.uncertainty.unseen_prior import unseen_prior

_LEAST_IMAGES = 0.5
_LEAST_POSITIVES = 50
_LEAST_DIVES = 5
# So little that no figure shows it, so much that equal calibrated values keep the network's order.
_TIE_BREAK = 1e-6
# The columns that a line over logits and frequency is fitted to.
_SLOPE, _OFFSET, _SHARE = range(3)


@dataclass(frozen=True)
class Frequency:
    """How often training saw each category.

    Attributes:
        logits: Of its share of the training images, or of its prior where it has none, shape
            (categories,).
        seen: Whether it has a training image, same shape.
    """

    logits: Float64s
    seen: Bools


def training_frequency(
    n_images: npt.NDArray[np.integer],
    n_dives: npt.NDArray[np.integer],
    supercategories: Sequence[str],
    *,
    n_train: int,
) -> Frequency:
    """Return the frequency of categories of which training had `n_images` of `n_train` images."""
    seen = np.asarray(n_images > 0)
    prior = unseen_prior(n_images, n_dives, supercategories, n_train=n_train)
    share = np.where(seen, n_images / max(n_train, 1), prior)
    # A category in no image or in every image keeps a finite logit: half an image.
    least = _LEAST_IMAGES / max(n_train, 1)
    share = np.clip(share, np.where(seen, least, 1e-9), 1 - least if n_train > 1 else 0.5)
    return Frequency(np.log(share / (1 - share)), seen)


@dataclass(frozen=True)
class LogitCalibration:
    """A straight line through each category's logits: offset + slope x logit.

    Attributes:
        offset: Shape (categories,). Where the slope is 0, the logit of the category's prior.
        slope: How far the network is believed in each category, same shape, 0 or more: 1 wholly,
            0 not at all (a category without a training image). One over a temperature.
    """

    offset: Float64s
    slope: Float64s

    @classmethod
    def of(cls, stored: Mapping[str, npt.ArrayLike]) -> LogitCalibration:
        """Return what is stored as "offset" and "slope".

        Older bundles and files have an "anchor" in the offset's place: logits were drawn to it.
        """
        slope = np.asarray(stored["slope"], dtype=np.float64)
        if "offset" in stored:
            return cls(np.asarray(stored["offset"], dtype=np.float64), slope)
        return cls((1 - slope) * np.asarray(stored["anchor"], dtype=np.float64), slope)

    def __call__(self, logits: npt.NDArray[np.floating]) -> Float64s:
        """Return calibrated probabilities in [0, 1], same shape."""
        return sigmoid(self.offset + self.slope * logits.astype(np.float64))

    def undo(self, probabilities: npt.NDArray[np.floating]) -> Float64s:
        """Return the probabilities before calibration, same shape; the prior where slope is 0."""
        return sigmoid(self.undo_to_logits(probabilities))

    def undo_to_logits(self, probabilities: npt.NDArray[np.floating]) -> Float64s:
        """Return the network's logits, same shape; the prior's where the slope is 0."""
        probabilities = np.clip(probabilities.astype(np.float64), 1e-9, 1 - 1e-9)
        believed = np.where(self.slope > 0, self.slope, 1.0)
        logits = (np.log(probabilities / (1 - probabilities)) - self.offset) / believed
        return np.where(self.slope > 0, logits, self.offset)


@dataclass(frozen=True)
class CurveCalibration:
    """One isotonic curve a category, which several categories may share."""

    curves: tuple[IsotonicCurve, ...]

    def __call__(self, logits: npt.NDArray[np.floating]) -> Float64s:
        """Return calibrated probabilities in [0, 1], same shape."""
        columns = [curve(logits[:, j]) for j, curve in enumerate(self.curves)]
        tied: Float64s = np.stack(columns, axis=1)
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
    truth: Bools
    dives: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationRow:
    """One way to calibrate.

    Attributes:
        name: As given to `fit_calibration`.
        about: One line for people.
        fit: From validation images, the training frequency and the supercategories to what was
            fitted.
    """

    name: str
    about: str
    fit: Callable[[ValidationView, Frequency, Sequence[str]], Calibration]


def fit_calibration(
    view: ValidationView,
    *,
    method: str,
    frequency: Frequency,
    supercategories: Sequence[str] = (),
) -> Calibration:
    """Fit a calibration to validation images.

    Args:
        view: Images of dives that the network did not learn from.
        method: A name of `CALIBRATIONS`, or "none".
        frequency: From `training_frequency`.
        supercategories: Of each category, for "category".

    Raises:
        PredictionsError: If shapes differ, a logit is NaN, or there is no image to fit to.
        SettingsError: If there is no such method.
    """
    if method == NO_CALIBRATION:
        return LogitCalibration(np.zeros_like(frequency.logits), np.ones_like(frequency.logits))
    row = find_entry(CALIBRATIONS, method, kind="calibration")
    if view.logits.shape != view.truth.shape or not view.truth.any():
        raise PredictionsError(
            f"Calibration needs validation images with true categories; got logits "
            f"{view.logits.shape}, truth {view.truth.shape} with {int(view.truth.sum())} true."
        )
    if np.isnan(view.logits).any():
        raise PredictionsError("Calibration needs logits that are numbers, got NaN.")
    return row.fit(view, frequency, supercategories)


def _fit_temperature(
    view: ValidationView, frequency: Frequency, supercategories: Sequence[str]
) -> LogitCalibration:
    """Fit one slope.

    Source:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv:1706.04599.
    """
    del supercategories
    cells = view.logits.reshape(-1, 1).astype(np.float64)
    slope = max(float(fit_logistic(cells, view.truth.ravel(), start=np.ones(1))[0]), 0.0)
    return LogitCalibration(np.zeros_like(frequency.logits), slope * np.ones_like(frequency.logits))


@dataclass(frozen=True, slots=True)
class FrequencyLine:
    """Three numbers for all categories: slope x logit + offset + share x logit of frequency.

    Attributes:
        slope: 0 or more.
        offset: Any number.
        share: 0 or more.
    """

    slope: float
    offset: float
    share: float

    def calibration(self, frequency: Frequency) -> LogitCalibration:
        """Return it as a calibration; a category that training has not seen has its prior."""
        seen = frequency.seen
        return LogitCalibration(
            np.where(seen, self.offset + self.share * frequency.logits, frequency.logits),
            np.where(seen, self.slope, 0.0),
        )


def fit_frequency_line(view: ValidationView, frequency: Frequency) -> FrequencyLine:
    """Fit slope, offset and share over the cells of categories that training has seen.

    The offset matters: a network that says too much of everything would otherwise be believed
    less, which moves its ranking towards frequency for no good reason.

    A network that is worse than chance on these dives is not believed (slope 0), rather than
    reversed. Nor is frequency turned round (share 0): a pull away from it is an accident of few
    dives, which cost `patches` 0.022 of MAP@20 on one fold of four and won no calibration error.

    Source:
        Platt, "Probabilistic Outputs for Support Vector Machines", 1999 (slope and offset).
    """
    seen = frequency.seen
    logits = view.logits[:, seen].astype(np.float64)
    often = np.broadcast_to(frequency.logits[seen], logits.shape)
    cells = np.stack([logits.ravel(), np.ones(logits.size), often.ravel()], axis=1)
    truth = view.truth[:, seen].ravel()
    kept = [_SLOPE, _OFFSET, _SHARE]
    while True:
        # Before anything is seen: the logit as it is, or, of a network not believed, frequency.
        start = np.array([1.0, 0.0, 0.0] if _SLOPE in kept else [0.0, 0.0, 1.0])
        weights = np.zeros(3)
        weights[kept] = fit_logistic(cells[:, kept], truth, start=start[kept])
        below = [column for column in (_SLOPE, _SHARE) if weights[column] < 0]
        if not below:
            return FrequencyLine(*weights.tolist())
        kept.remove(below[0])


def _fit_frequency(
    view: ValidationView, frequency: Frequency, supercategories: Sequence[str]
) -> LogitCalibration:
    """Fit slope, offset and share."""
    del supercategories
    return fit_frequency_line(view, frequency).calibration(frequency)


def _fit_isotonic(
    view: ValidationView, frequency: Frequency, supercategories: Sequence[str]
) -> CurveCalibration:
    """Fit one curve for all cells."""
    del frequency, supercategories
    everything = fit_isotonic(view.logits.ravel(), view.truth.ravel())
    return CurveCalibration((everything,) * view.truth.shape[1])


def _fit_by_category(
    view: ValidationView, frequency: Frequency, supercategories: Sequence[str]
) -> CurveCalibration:
    """Fit a curve for each category, or its supercategory, or all where there is too little."""
    del frequency
    everything = fit_isotonic(view.logits.ravel(), view.truth.ravel())
    groups = np.asarray(supercategories, dtype=np.str_)
    dives = np.asarray(view.dives, dtype=np.str_)

    def curve(columns: npt.NDArray[np.int64]) -> IsotonicCurve | None:
        truth = view.truth[:, columns]
        holding = truth.any(axis=1)
        if truth.sum() < _LEAST_POSITIVES or len(np.unique(dives[holding])) < _LEAST_DIVES:
            return None
        return fit_isotonic(view.logits[:, columns].ravel(), truth.ravel())

    pooled = {name: curve(np.flatnonzero(groups == name)) for name in np.unique(groups).tolist()}
    return CurveCalibration(
        tuple(
            curve(np.array([j])) or pooled[str(group)] or everything
            for j, group in enumerate(groups)
        )
    )


NO_CALIBRATION: Final = "none"

CALIBRATIONS: Mapping[str, CalibrationRow] = registry(
    CalibrationRow(name="temperature", about="one slope", fit=_fit_temperature),
    CalibrationRow(
        name="frequency",
        about="a slope, an offset and a share of class frequency",
        fit=_fit_frequency,
    ),
    CalibrationRow(name="isotonic", about="one curve for all cells", fit=_fit_isotonic),
    CalibrationRow(
        name="category",
        about=f"a curve for each category with {_LEAST_POSITIVES} positives on {_LEAST_DIVES} "
        "dives, else for its supercategory, else for all",
        fit=_fit_by_category,
    ),
)
# Of every bundle; a bundle holds slopes, so it must fit a `LogitCalibration`.
DEFAULT_CALIBRATION: Final = "frequency"
