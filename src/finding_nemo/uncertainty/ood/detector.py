"""Every novelty score of an image, from its logits and features, and the one shown to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Float64s, Tensors
from finding_nemo.uncertainty.ood.bagged_heads import disagreement_novelty, fit_heads
from finding_nemo.uncertainty.ood.feature_scores import (
    CategoryCentres,
    FeatureSpace,
    fit_centres,
    fit_space,
    neighbour_novelty,
    unit_rows,
    vim_novelty,
    vim_scale,
)
from finding_nemo.uncertainty.ood.logit_scores import (
    entropy_novelty,
    joint_energy_novelty,
    max_logit_novelty,
    max_probability_novelty,
)
from finding_nemo.uncertainty.ood.percentiles import reference_quantiles, standing

# Measured on categories held out with their dives: no other score and no combination is better on
# held-out animals, and it is the best on frames from elsewhere
# (docs/experiments/0012-novelty-scores.md).
DEFAULT = "vim"
DEFAULT_OF_LOGITS = "joint-energy"
# The mean standing of these; a learned combination of all scores was worse.
COMBINED = "combined"
COMBINED_OF = ("vim", "knn")
COMBINED_OF_LOGITS = ("max-logit", "joint-energy")

N_AXES = 256
N_WHITE_AXES = 64
MOST_NEIGHBOURS = 10_000
NEIGHBOUR = 10
_LEAST_IMAGES = 5
_SHRINKAGE = 0.1
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
class FeatureScorers:
    """What the scores from features need of the training images."""

    space: FeatureSpace
    neighbours: AnyFloats
    centres: CategoryCentres
    heads: AnyFloats
    scale: float

    def scores(self, logits: AnyFloats, features: AnyFloats) -> dict[str, Float64s]:
        """Return the scores that need features, by name."""
        inside, left_over = self.space.project(features)
        white = _white(inside, self.space)
        nearest, relative = self.centres.distances(white)
        return {
            "knn": neighbour_novelty(inside, self.neighbours, k=NEIGHBOUR),
            "mahalanobis": nearest,
            "relative-mahalanobis": relative,
            "vim": vim_novelty(left_over, logits, scale=self.scale),
            "ensemble-disagreement": disagreement_novelty(white, self.heads),
        }


def _white(inside: AnyFloats, space: FeatureSpace) -> AnyFloats:
    width = np.sqrt(np.maximum(space.variances[:N_WHITE_AXES], _LEAST_WIDTH))
    result: AnyFloats = inside[:, :N_WHITE_AXES] / width
    return result


def fit_feature_scorers(view: TrainingView, *, seed: int = 0) -> FeatureScorers:
    """Fit every score that needs features to the training images."""
    # Half of few features must stay outside the axes: what is left over is what ViM measures.
    n_axes = min(N_AXES, max(view.features.shape[1] // 2, 1))
    space = fit_space(view.features, n_axes=n_axes)
    inside, left_over = space.project(view.features)
    white = _white(inside, space)
    chosen = np.arange(len(inside))
    if len(inside) > MOST_NEIGHBOURS:
        generator = np.random.default_rng(seed)
        chosen = np.sort(generator.choice(len(inside), MOST_NEIGHBOURS, replace=False))
    return FeatureScorers(
        space=space,
        neighbours=unit_rows(inside[chosen]),
        centres=fit_centres(white, view.truth, least_images=_LEAST_IMAGES, shrinkage=_SHRINKAGE),
        heads=fit_heads(white, view.truth, view.dives, seed=seed),
        scale=vim_scale(left_over, view.logits),
    )


@dataclass(frozen=True)
class NoveltyDetector:
    """All scores of an image, each beside what validation images score.

    Attributes:
        quantiles: Of each score on validation images, by its name.
        by_features: What scores from features need; `None` where only logits are known.
    """

    quantiles: Mapping[str, Float64s]
    by_features: FeatureScorers | None

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
        found = _raw_scores(self.by_features, logits, features)
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
    by_features = None if view is None else fit_feature_scorers(view)
    found = _raw_scores(by_features, val_logits, val_features)
    quantiles = {name: reference_quantiles(scores) for name, scores in found.items()}
    members = COMBINED_OF_LOGITS if by_features is None else COMBINED_OF
    quantiles[COMBINED] = reference_quantiles(_combined(found, quantiles, members))
    return NoveltyDetector(quantiles, by_features)


def _raw_scores(
    by_features: FeatureScorers | None, logits: AnyFloats, features: AnyFloats | None
) -> dict[str, Float64s]:
    probabilities = np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))
    found = {
        "max-probability": max_probability_novelty(probabilities),
        "max-logit": max_logit_novelty(logits),
        "joint-energy": joint_energy_novelty(logits),
        "entropy": entropy_novelty(logits),
    }
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


def detector_tensors(detector: NoveltyDetector) -> dict[str, npt.NDArray[Any]]:
    """Return the detector as named arrays, large ones in float32."""
    tensors: dict[str, npt.NDArray[Any]] = {
        f"{_PREFIX}quantiles.{name}": values for name, values in detector.quantiles.items()
    }
    fitted = detector.by_features
    if fitted is not None:
        arrays = {
            "mean": fitted.space.mean,
            "std": fitted.space.std,
            "axes": fitted.space.axes,
            "variances": fitted.space.variances,
            "neighbours": fitted.neighbours,
            "root": fitted.centres.root,
            "centres": fitted.centres.centres,
            "heads": fitted.heads,
            "scale": np.array([fitted.scale]),
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
    fitted = FeatureScorers(
        space=FeatureSpace(at["mean"], at["std"], at["axes"], at["variances"]),
        neighbours=at["neighbours"],
        centres=CategoryCentres(at["root"], at["centres"]),
        heads=at["heads"],
        scale=float(at["scale"][0]),
    )
    return NoveltyDetector(quantiles, fitted)


ORDER = (
    "max-probability",
    "max-logit",
    "joint-energy",
    "entropy",
    "knn",
    "mahalanobis",
    "relative-mahalanobis",
    "vim",
    "ensemble-disagreement",
    COMBINED,
)
