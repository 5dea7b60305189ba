"""Every novelty score of an image, from its logits and features, and the one shown to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Float64s, Tensors
from finding_nemo.uncertainty.ood.feature_scores import FeatureSpace, fit_space
from finding_nemo.uncertainty.ood.novelty_scores import (
    COMBINED,
    FEATURE_SCORES,
    LOGIT_SCORES,
    NOVELTY_SCORES,
    ORDER,
    Fitted,
    ScoredImages,
    TrainingImages,
)
from finding_nemo.uncertainty.ood.percentiles import reference_quantiles, standing

# Measured on categories held out with their dives: no other score and no combination is better on
# held-out animals, and it is the best on frames from elsewhere
# (docs/experiments/0012-novelty-scores.md).
DEFAULT = "vim"
DEFAULT_OF_LOGITS = "joint-energy"
COMBINED_OF = ("vim", "knn")
COMBINED_OF_LOGITS = ("max-logit", "joint-energy")

N_AXES = 256
N_WHITE_AXES = 64
_LEAST_WIDTH = 1e-4


@dataclass(frozen=True)
class TrainingView:
    """What the network made of its training images.

    Attributes:
        features: Pooled, shape (images, features).
        logits: Shape (images, categories).
        truth: Same shape as `logits`.
        dives: The dive of each image.
    """

    features: AnyFloats
    logits: AnyFloats
    truth: npt.NDArray[np.bool_]
    dives: Sequence[str]


@dataclass(frozen=True)
class FittedFeatures:
    """What the scores from features keep of the training images.

    Attributes:
        space: The main axes of their features.
        tensors: What each score was fitted as, by the names of `NOVELTY_SCORES`.
    """

    space: FeatureSpace
    tensors: Fitted

    def scores(self, logits: AnyFloats, features: AnyFloats) -> dict[str, Float64s]:
        """Return the scores that need features and were fitted, by name."""
        images = _in_space(self.space, logits, features)
        return {
            name: NOVELTY_SCORES[name].score(images, self.tensors)
            for name in FEATURE_SCORES
            if self.tensors.keys() >= NOVELTY_SCORES[name].tensors.keys()
        }


def _in_space(space: FeatureSpace, logits: AnyFloats, features: AnyFloats) -> ScoredImages:
    inside, left_over = space.project(features)
    width = np.sqrt(np.maximum(space.variances[:N_WHITE_AXES], _LEAST_WIDTH))
    return ScoredImages(
        logits=logits, inside=inside, white=inside[:, :N_WHITE_AXES] / width, left_over=left_over
    )


def fit_features(view: TrainingView, *, seed: int = 0) -> FittedFeatures:
    """Fit every score that needs features to the training images."""
    # Half of few features must stay outside the axes: what is left over is what ViM measures.
    n_axes = min(N_AXES, max(view.features.shape[1] // 2, 1))
    space = fit_space(view.features, n_axes=n_axes)
    images = _in_space(space, view.logits, view.features)
    training = TrainingImages(images=images, truth=view.truth, dives=view.dives, seed=seed)
    # Scores that share tensors share their fit.
    fits = dict.fromkeys(each.fit for each in NOVELTY_SCORES.values() if each.fit is not None)
    tensors: dict[str, AnyFloats] = {}
    for fit in fits:
        tensors |= fit(training)
    return FittedFeatures(space, tensors)


@dataclass(frozen=True)
class NoveltyDetector:
    """All scores of an image, each beside what validation images score.

    Attributes:
        quantiles: Of each score on validation images, by its name.
        by_features: What scores from features need; `None` where only logits are known.
    """

    quantiles: Mapping[str, Float64s]
    by_features: FittedFeatures | None

    @property
    def names(self) -> tuple[str, ...]:
        """The scores in order."""
        return tuple(self.quantiles)

    @property
    def default(self) -> str:
        """The score that is shown to people."""
        return DEFAULT_OF_LOGITS if self.by_features is None else DEFAULT

    @property
    def combined_of(self) -> tuple[str, ...]:
        """The scores whose mean standing is the combined one."""
        return COMBINED_OF_LOGITS if self.by_features is None else COMBINED_OF

    def scores(self, logits: AnyFloats, features: AnyFloats | None) -> dict[str, Float64s]:
        """Return every score by name, each of shape (images,), higher further out.

        Args:
            logits: Shape (images, categories).
            features: Shape (images, features); not used where none were fitted.

        Raises:
            PredictionsError: If a shape is another or a value is NaN.
        """
        raw = _raw_scores(self.by_features, logits, features)
        # A bundle of an earlier version lacks the scores that are newer.
        found = {name: values for name, values in raw.items() if name in self.quantiles}
        return {**found, COMBINED: _combined(found, self.quantiles, self.combined_of)}


def fit_detector(
    view: TrainingView | None, *, val_logits: AnyFloats, val_features: AnyFloats | None
) -> NoveltyDetector:
    """Fit the scores to training images, and their scale to validation images.

    The scale is that of validation images because they come from dives that training never saw,
    as every future frame does; training images look more usual than any new one can.

    Args:
        view: The training images; `None` where there are no features.
        val_logits: Shape (validation images, categories), at least one image.
        val_features: Shape (validation images, features).

    Raises:
        PredictionsError: If there is no validation image or a value is NaN.
    """
    by_features = None if view is None else fit_features(view)
    found = _raw_scores(by_features, val_logits, val_features)
    quantiles = {name: reference_quantiles(scores) for name, scores in found.items()}
    members = COMBINED_OF_LOGITS if by_features is None else COMBINED_OF
    quantiles[COMBINED] = reference_quantiles(_combined(found, quantiles, members))
    return NoveltyDetector(quantiles, by_features)


def _raw_scores(
    by_features: FittedFeatures | None, logits: AnyFloats, features: AnyFloats | None
) -> dict[str, Float64s]:
    nothing = np.empty((len(logits), 0))
    images = ScoredImages(logits=logits, inside=nothing, white=nothing, left_over=nothing[:, :0])
    found = {name: NOVELTY_SCORES[name].score(images, {}) for name in LOGIT_SCORES}
    if by_features is not None and features is not None:
        found.update(by_features.scores(logits, features))
    return found


def _combined(
    found: Mapping[str, Float64s], quantiles: Mapping[str, Float64s], members: Sequence[str]
) -> Float64s:
    positions = [standing(found[name], quantiles[name]) for name in members]
    result: Float64s = np.mean(positions, axis=0)
    return result


_PREFIX = "novelty."
# Each tensor of the feature space, and its shape in letters: f features, a axes.
SPACE_TENSORS = {"mean": "f", "std": "f", "axes": "fa", "variances": "a"}


def detector_tensors(detector: NoveltyDetector) -> dict[str, npt.NDArray[Any]]:
    """Return the detector as named arrays, large ones in float32."""
    tensors: dict[str, npt.NDArray[Any]] = {
        f"{_PREFIX}quantiles.{name}": values for name, values in detector.quantiles.items()
    }
    fitted = detector.by_features
    if fitted is not None:
        arrays = {
            **{name: getattr(fitted.space, name) for name in SPACE_TENSORS},
            **fitted.tensors,
        }
        # In C order: safetensors writes memory as it lies.
        tensors |= {_PREFIX + n: _as_float32(array) for n, array in arrays.items()}
    return tensors


def _as_float32(array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    largest = float(np.finfo(np.float32).max)
    stored: npt.NDArray[np.float32] = np.clip(array, -largest, largest).astype(
        np.float32, order="C"
    )
    return stored


def detector_from_tensors(tensors: Tensors) -> NoveltyDetector | None:
    """Return the detector that `detector_tensors` took apart; `None` where there is none."""
    start = f"{_PREFIX}quantiles."
    known = {name.removeprefix(start): array for name, array in tensors.items() if start in name}
    if COMBINED not in known:
        return None
    # Files keep tensors in order of name; scores are shown in their own order.
    ordered = [name for name in ORDER if name in known]
    quantiles = {name: known[name] for name in ordered}
    if f"{_PREFIX}axes" not in tensors:
        return NoveltyDetector(quantiles, None)
    at = {name.removeprefix(_PREFIX): array for name, array in tensors.items()}
    space = FeatureSpace(**{name: at[name] for name in SPACE_TENSORS})
    return NoveltyDetector(quantiles, FittedFeatures(space, at))
