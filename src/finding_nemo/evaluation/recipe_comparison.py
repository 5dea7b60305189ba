"""Evaluations of several recipes, on several protocols and folds, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from finding_nemo.evaluation.evaluation_results import Evaluation, Measured
from finding_nemo.evaluation.pooled_uncertainty import (
    PooledUncertainty,
    UncertaintyCells,
    count_never,
    pool_uncertainty,
)
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval
from finding_nemo.metrics.ranking_scores import RankingScores, mean_ranking_scores

_NOTHING = Measured(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class TrainedFold:
    """One training and its judgement.

    Attributes:
        evaluation: On the part that training did not see.
        epochs: Epochs trained, 0 for what has none.
        best_epoch: The one that was kept.
        training_loss: Of the kept epoch, NaN for what has none.
        train_s: Seconds of training.
        predict_s: Seconds of prediction from image files.
        cells: What was said and what was so, for trust over all folds.
        train_map_at_20: Of training images after the kept epoch, by the network's own ranking;
            NaN where it is not known.
    """

    evaluation: Evaluation
    epochs: int
    best_epoch: int
    training_loss: float
    train_s: float
    predict_s: float
    cells: UncertaintyCells | None = None
    train_map_at_20: float = float("nan")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One recipe on one protocol.

    Attributes:
        recipe: Its name.
        protocol: "dive", "video", "random", or the split file's name.
        n_images: Judged images of all folds.
        n_dives: Their dives.
        map_at_20: Over all judged images, with its 95 % interval by dive.
        lowest: MAP@20 of the worst fold.
        highest: Of the best fold.
        macro_ap: Mean of the folds' macro AP.
        prior_map_at_20: Of class frequency on the same images.
        prior_macro_ap: The same for macro AP.
        same_dive: Share of judged images with a training image of their dive.
        epochs: Epochs trained.
        training_loss: Mean over folds, of the kept epochs.
        train_s: Seconds of training, all folds.
        predict_s: Seconds of prediction, all folds.
        uncertainty: How far it can be trusted over all folds, `None` for what is not calibrated.
        failure: Why there is no result, or `None`.
        rankings: MAP@20 over all judged images by each ranking.
        train_map_at_20: Mean over folds of MAP@20 on training images.
    """

    recipe: str
    protocol: str
    n_images: int = 0
    n_dives: int = 0
    map_at_20: Measured = _NOTHING
    lowest: float = float("nan")
    highest: float = float("nan")
    macro_ap: float = float("nan")
    prior_map_at_20: float = float("nan")
    prior_macro_ap: float = float("nan")
    same_dive: float = float("nan")
    epochs: int = 0
    training_loss: float = float("nan")
    train_s: float = float("nan")
    predict_s: float = float("nan")
    uncertainty: PooledUncertainty | None = None
    failure: str | None = None
    rankings: RankingScores = field(default_factory=RankingScores)
    train_map_at_20: float = float("nan")


def combine_folds(recipe: str, protocol: str, folds: Sequence[TrainedFold]) -> ComparisonRow:
    """Return one row for all folds of a recipe: every judged image counts once."""
    images = [image for fold in folds for image in fold.evaluation.images]
    per_image = np.array([image.average_precision for image in images])
    dives = [image.dive_or_own for image in images]
    interval = dive_bootstrap_interval(per_image, dives)
    found = [fold.evaluation for fold in folds]
    n_images = [evaluation.n_images for evaluation in found]
    scores = [evaluation.model.map_at_20.value for evaluation in found]
    priors = [evaluation.prior.map_at_20.value for evaluation in found]
    leaks = [e.leakage.same_dive if e.leakage else float("nan") for e in found]
    return ComparisonRow(
        recipe=recipe,
        protocol=protocol,
        n_images=sum(n_images),
        n_dives=len({d for d, ap in zip(dives, per_image, strict=True) if not np.isnan(ap)}),
        map_at_20=Measured(float(np.nanmean(per_image)), interval.low, interval.high),
        lowest=min(scores),
        highest=max(scores),
        macro_ap=_mean([evaluation.model.macro_ap for evaluation in found]),
        prior_map_at_20=float(np.average(priors, weights=n_images)),
        prior_macro_ap=_mean([evaluation.prior.macro_ap for evaluation in found]),
        same_dive=float(np.average(leaks, weights=n_images)),
        epochs=max(fold.epochs for fold in folds),
        training_loss=_mean([fold.training_loss for fold in folds]),
        train_s=sum(fold.train_s for fold in folds),
        predict_s=sum(fold.predict_s for fold in folds),
        uncertainty=_pooled(folds),
        rankings=mean_ranking_scores([evaluation.rankings for evaluation in found], n_images),
        train_map_at_20=_mean([fold.train_map_at_20 for fold in folds]),
    )


def _pooled(folds: Sequence[TrainedFold]) -> PooledUncertainty | None:
    cells = [fold.cells for fold in folds if fold.cells is not None]
    findings = [
        fold.evaluation.uncertainty for fold in folds if fold.evaluation.uncertainty is not None
    ]
    return pool_uncertainty(cells, findings, sum(count_never(f.evaluation.metadata) for f in folds))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
