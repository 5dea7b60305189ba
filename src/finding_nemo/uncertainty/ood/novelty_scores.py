"""The novelty scores, in one table: each from logits alone, or from pooled features too.

Every score is higher further out, and continuous. One from features may be fitted to the training
images: what it keeps of them are tensors, which travel in the bundle under the names given here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s
from finding_nemo.core.names.registries import registry
from finding_nemo.uncertainty.ood.bagged_heads import disagreement_novelty, fit_heads
from finding_nemo.uncertainty.ood.feature_scores import (
    CategoryCentres,
    fit_centres,
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

MOST_NEIGHBOURS = 10_000
NEIGHBOUR = 10
_LEAST_IMAGES = 5
_SHRINKAGE = 0.1

Fitted = Mapping[str, AnyFloats]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredImages:
    """What the scores of some images are made from.

    Attributes:
        logits: Shape (images, categories).
        inside: Coordinates along the main axes of the training features, (images, axes).
        white: The first of them at unit variance, (images, whitened axes).
        left_over: The length outside the main axes, (images,).
    """

    logits: AnyFloats
    inside: AnyFloats
    white: AnyFloats
    left_over: Float64s


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingImages:
    """What a score is fitted to.

    Attributes:
        images: The training images.
        truth: Their categories, shape (images, categories).
        dives: The dive of each.
        seed: Of what is drawn.
    """

    images: ScoredImages
    truth: Bools
    dives: Sequence[str]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyScore:
    """One score.

    Attributes:
        name: As in predictions files.
        about: One line for people.
        needs: "logits", or "features" beside them.
        score: From images, and the tensors that it was fitted as, to novelty, shape (images,). One
            that needs logits only reads nothing but `logits`.
        fit: From training images to its tensors.
        tensors: The name of each tensor, and its shape in letters: c categories, a axes, w whitened
            axes, x one more than these, 1 one number; any other letter is free.
    """

    name: str
    about: str
    needs: Literal["logits", "features"]
    score: Callable[[ScoredImages, Fitted], Float64s]
    fit: Callable[[TrainingImages], Fitted] | None = None
    tensors: Mapping[str, str] = field(default_factory=dict)


def _probabilities(logits: AnyFloats) -> Float64s:
    probabilities: Float64s = np.exp(-np.logaddexp(0.0, -logits.astype(np.float64)))
    return probabilities


def _fit_neighbours(training: TrainingImages) -> Fitted:
    inside = training.images.inside
    chosen = np.arange(len(inside))
    if len(inside) > MOST_NEIGHBOURS:
        generator = np.random.default_rng(training.seed)
        chosen = np.sort(generator.choice(len(inside), MOST_NEIGHBOURS, replace=False))
    return {"neighbours": unit_rows(inside[chosen])}


def _fit_centres(training: TrainingImages) -> Fitted:
    found = fit_centres(
        training.images.white,
        training.truth,
        least_images=_LEAST_IMAGES,
        shrinkage=_SHRINKAGE,
    )
    return {"root": found.root, "centres": found.centres}


def _distances(images: ScoredImages, fitted: Fitted) -> tuple[Float64s, Float64s]:
    return CategoryCentres(fitted["root"], fitted["centres"]).distances(images.white)


def _fit_scale(training: TrainingImages) -> Fitted:
    images = training.images
    return {"scale": np.array([vim_scale(images.left_over, images.logits)])}


def _vim(images: ScoredImages, fitted: Fitted) -> Float64s:
    return vim_novelty(images.left_over, images.logits, scale=float(fitted["scale"][0]))


def _fit_heads(training: TrainingImages) -> Fitted:
    images = training.images
    return {"heads": fit_heads(images.white, training.truth, training.dives, seed=training.seed)}


NOVELTY_SCORES: Mapping[str, NoveltyScore] = registry(
    NoveltyScore(
        name="max-probability",
        about="one minus the largest probability",
        needs="logits",
        score=lambda images, _: max_probability_novelty(_probabilities(images.logits)),
    ),
    NoveltyScore(
        name="max-logit",
        about="minus the largest logit",
        needs="logits",
        score=lambda images, _: max_logit_novelty(images.logits),
    ),
    NoveltyScore(
        name="joint-energy",
        about="minus the summed log(1 + exp(logit))",
        needs="logits",
        score=lambda images, _: joint_energy_novelty(images.logits),
    ),
    NoveltyScore(
        name="entropy",
        about="summed entropy of the categories",
        needs="logits",
        score=lambda images, _: entropy_novelty(images.logits),
    ),
    NoveltyScore(
        name="knn",
        about=f"distance to the {NEIGHBOUR}th nearest training image",
        needs="features",
        score=lambda images, fitted: neighbour_novelty(
            images.inside, fitted["neighbours"], k=NEIGHBOUR
        ),
        fit=_fit_neighbours,
        tensors={"neighbours": "na"},
    ),
    NoveltyScore(
        name="mahalanobis",
        about="distance to the nearest category's centre",
        needs="features",
        score=lambda images, fitted: _distances(images, fitted)[0],
        fit=_fit_centres,
        tensors={"root": "ww", "centres": "kw"},
    ),
    NoveltyScore(
        name="relative-mahalanobis",
        about="the same, less the distance to the middle of all",
        needs="features",
        score=lambda images, fitted: _distances(images, fitted)[1],
        fit=_fit_centres,
        tensors={"root": "ww", "centres": "kw"},
    ),
    NoveltyScore(
        name="vim",
        about="length outside the main axes of the features, less the energy",
        needs="features",
        score=_vim,
        fit=_fit_scale,
        tensors={"scale": "1"},
    ),
    NoveltyScore(
        name="ensemble-disagreement",
        about="spread of linear heads that learnt from other dives",
        needs="features",
        score=lambda images, fitted: disagreement_novelty(images.white, fitted["heads"]),
        fit=_fit_heads,
        tensors={"heads": "hxc"},
    ),
)

LOGIT_SCORES: tuple[str, ...] = tuple(
    name for name, each in NOVELTY_SCORES.items() if each.needs == "logits"
)
FEATURE_SCORES: tuple[str, ...] = tuple(
    name for name, each in NOVELTY_SCORES.items() if each.needs == "features"
)
# The mean standing of some of the others; a learned combination of all scores was worse.
COMBINED = "combined"
ORDER: tuple[str, ...] = (*NOVELTY_SCORES, COMBINED)
