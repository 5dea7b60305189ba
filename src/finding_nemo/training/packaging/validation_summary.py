"""What the bundle says of its validation part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Bools
from finding_nemo.core.records import ImageRecord
from finding_nemo.metrics.baselines import prior_scores
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval
from finding_nemo.metrics.ranking import average_precision_at_k, map_at_k
from finding_nemo.models.bundle.manifest import ValidationSummary
from finding_nemo.models.bundle.uncertainty_tensors import Uncertainty
from finding_nemo.training.loop.epoch_log import EpochRow
from finding_nemo.uncertainty.calibration import LogitCalibration
from finding_nemo.uncertainty.ood.logit_scores import max_probability_novelty
from finding_nemo.uncertainty.opinion_pool import OpinionPool

_N_QUANTILES = 101


def summarize_validation(
    records: Sequence[ImageRecord],
    truth: Bools,
    scores: npt.NDArray[np.floating],
    train_truth: Bools,
    *,
    best: EpochRow | None = None,
    uncertainty: Uncertainty | None = None,
) -> ValidationSummary | None:
    """Return the scores of the validation part, `None` where nothing in it is true.

    Args:
        records: The validation images.
        truth: Of them, (images, categories).
        scores: What the network or baseline ranks by itself, same shape.
        train_truth: Of the training images, for class frequency.
        best: The epoch that was kept.
        uncertainty: What was fitted on the same images.
    """
    holding = np.asarray(truth.any(axis=1))
    if not holding.any():
        return None
    per_image = average_precision_at_k(truth, scores)
    prior = np.tile(prior_scores(train_truth), (len(truth), 1))
    dives = [record.dive_or_own for record in records]
    interval = dive_bootstrap_interval(per_image, dives)
    calibrated, shown = _by_other_rankings(truth, uncertainty)
    return ValidationSummary(
        n_images=int(holding.sum()),
        n_dives=len({dive for dive, counts in zip(dives, holding, strict=True) if counts}),
        map_at_20=float(np.nanmean(per_image)),
        map_at_20_ci=(interval.low, interval.high),
        prior_map_at_20=float(np.nanmean(average_precision_at_k(truth, prior))),
        best_epoch=best.epoch if best else None,
        training_loss=best.training_loss if best else None,
        map_at_20_calibrated=calibrated,
        map_at_20_shown=shown,
        train_map_at_20=best.train_map_at_20 if best else None,
    )


def _by_other_rankings(
    truth: Bools, uncertainty: Uncertainty | None
) -> tuple[float | None, float | None]:
    """Return MAP@20 by calibrated probability, and by what predictions show."""
    if uncertainty is None or uncertainty.validation is None:
        return None, None
    logits = uncertainty.validation.logits

    def score(ranks: LogitCalibration | OpinionPool | None) -> float | None:
        return None if ranks is None else map_at_k(truth, ranks(logits), empty="skip")

    return score(uncertainty.calibration), score(uncertainty.ranking)


def novelty_reference(
    probabilities: npt.NDArray[np.floating],
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the novelty of the validation images as 101 quantiles, 0 % to 100 %.

    They say how unusual an image is among images of unseen dives; training images would do it
    worse, because a network is surer of what it overfits.
    """
    if len(probabilities) == 0:
        return {"validation_quantiles": np.full(_N_QUANTILES, np.nan)}
    novelty = max_probability_novelty(probabilities)
    return {"validation_quantiles": np.quantile(novelty, np.linspace(0, 1, _N_QUANTILES))}
