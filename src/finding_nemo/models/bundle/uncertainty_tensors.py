"""What a bundle knows of how far to trust it: novelty, calibration and its validation images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Tensors
from finding_nemo.core.errors import BundleError
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.bundle.bundle_files import NOVELTY
from finding_nemo.models.bundle.uncertainty_check import check_uncertainty_tensors
from finding_nemo.uncertainty.calibration import LogitCalibration, ValidationView
from finding_nemo.uncertainty.logistic import sigmoid
from finding_nemo.uncertainty.ood.detector import (
    NoveltyDetector,
    detector_from_tensors,
    detector_tensors,
)
from finding_nemo.uncertainty.opinion_pool import OpinionPool

_RANKING = "ranking."
_CALIBRATION = "calibration."
# 20,000 images of 290 categories are 23 MB; more would not make a threshold better.
MOST_VALIDATION_IMAGES = 20_000


@dataclass(frozen=True)
class Uncertainty:
    """What stands beside the network in a bundle.

    Attributes:
        detector: Novelty; `None` in a bundle without it.
        calibration: From logits to probabilities; `None` in a bundle without one.
        validation: Raw logits and truth of the validation images, which thresholds and sets are
            chosen on; `None` in a bundle without them.
        ranking: What categories are ranked by; `None` in a bundle that ranks by probability.
    """

    detector: NoveltyDetector | None = None
    calibration: LogitCalibration | None = None
    validation: ValidationView | None = None
    ranking: OpinionPool | None = None


def uncertainty_tensors(uncertainty: Uncertainty) -> dict[str, npt.NDArray[Any]]:
    """Return `uncertainty` as the named arrays of `novelty.safetensors`."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    if uncertainty.detector is not None:
        tensors |= detector_tensors(uncertainty.detector)
    if uncertainty.calibration is not None:
        tensors[_CALIBRATION + "offset"] = uncertainty.calibration.offset
        tensors[_CALIBRATION + "slope"] = uncertainty.calibration.slope
    if uncertainty.ranking is not None:
        tensors |= {_RANKING + name: t for name, t in uncertainty.ranking.tensors().items()}
    if uncertainty.validation is not None:
        kept = thinned_rows(len(uncertainty.validation.truth), MOST_VALIDATION_IMAGES)
        tensors["validation.logits"] = uncertainty.validation.logits[kept].astype(np.float32)
        tensors["validation.truth"] = uncertainty.validation.truth[kept].astype(np.uint8)
        tensors["validation.dive"] = _numbered(uncertainty.validation.dives)[kept]
    return tensors


def thinned_rows(n_images: int, most: int) -> npt.NDArray[np.int64]:
    """Return all rows, or `most` of them in order, always the same ones."""
    if n_images <= most:
        return np.arange(n_images)
    generator = np.random.default_rng(0)
    return np.sort(generator.choice(n_images, most, replace=False))


def _numbered(dives: Sequence[str]) -> npt.NDArray[np.int32]:
    _, numbers = np.unique(np.asarray(dives, dtype=np.str_), return_inverse=True)
    return numbers.astype(np.int32)


def uncertainty_from_tensors(tensors: Tensors) -> Uncertainty:
    """Return what `uncertainty_tensors` took apart; what an older bundle lacks is `None`."""
    return Uncertainty(
        detector=detector_from_tensors(tensors),
        calibration=_calibration(tensors),
        validation=_validation(tensors),
        ranking=_ranking(tensors),
    )


def uncertainty_of(bundle: Bundle) -> Uncertainty:
    """Return what stands beside the network of a bundle.

    Raises:
        BundleError: If the tensors are not those that belong there.
    """
    try:
        check_uncertainty_tensors(bundle.novelty, n_categories=len(bundle.categories))
    except BundleError as error:
        raise BundleError(
            f"{bundle.path / NOVELTY} cannot be used: {error}. Train or copy the bundle again."
        ) from None
    return uncertainty_from_tensors(bundle.novelty)


def _calibration(tensors: Tensors) -> LogitCalibration | None:
    stored = _under(_CALIBRATION, tensors)
    return LogitCalibration.of(stored) if stored else None


def _ranking(tensors: Tensors) -> OpinionPool | None:
    stored = _under(_RANKING, tensors)
    return OpinionPool.of(stored) if stored else None


def _under(prefix: str, tensors: Tensors) -> dict[str, npt.NDArray[Any]]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _validation(tensors: Tensors) -> ValidationView | None:
    if "validation.logits" not in tensors:
        return None
    return ValidationView(
        logits=tensors["validation.logits"],
        truth=tensors["validation.truth"].astype(np.bool_),
        dives=[str(number) for number in tensors["validation.dive"].tolist()],
    )


def calibrated(
    uncertainty: Uncertainty, logits: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return calibrated probabilities, shape (images, categories)."""
    return sigmoid(logits) if uncertainty.calibration is None else uncertainty.calibration(logits)
