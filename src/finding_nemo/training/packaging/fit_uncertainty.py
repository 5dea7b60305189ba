"""Novelty, calibration and evidence, fitted once a network is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finding_nemo.core.arrays import Bools, Float32s
from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.average_precision import average_precision_by_category
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.models.bundle.manifest import CategoryEvidence
from finding_nemo.models.bundle.uncertainty_tensors import Uncertainty, thinned_rows
from finding_nemo.models.inference.pixel_network import NetworkOutput
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.packaging.batch_inference import BatchInference
from finding_nemo.uncertainty.calibration import (
    CALIBRATIONS,
    DEFAULT_CALIBRATION,
    Frequency,
    LogitCalibration,
    ValidationView,
    fit_calibration,
    training_frequency,
)
from finding_nemo.uncertainty.ood.detector import TrainingView, fit_detector
from finding_nemo.uncertainty.opinion_pool import OpinionPool, fit_opinion_pool

# More training images than this make the main axes no better and the bundle no smaller.
MOST_TRAINING_IMAGES = 20_000

# A slope this near 1 changes no probability by more than a person would notice.
_ABOUT_RIGHT = 0.05

# On four folds and three recipes what is shown ranked by 0.0001 to 0.008 better than the network.
_LOST_MAP = 0.05


def fit_uncertainty(
    train: CachedInputs,
    val: CachedInputs,
    validation: NetworkOutput,
    *,
    truths: tuple[Bools, Bools],
    evidence: tuple[CategoryEvidence, ...],
    activation: str,
    infer: BatchInference,
    reporter: Reporter,
) -> Uncertainty:
    """Fit what stands beside a trained network in its bundle.

    Args:
        train: Usable training images.
        val: Usable validation images.
        validation: What the network makes of the latter.
        truths: Of the training and of the validation images.
        evidence: Of each category.
        activation: "sigmoid", or "clip" for outputs that are probabilities already.
        infer: Tells what the network makes of stored images.
        reporter: Told each choice with its reason.
    """
    train_truth, val_truth = truths
    if not len(val.records):
        reporter.message(
            "novelty and calibration: none, because there is no validation image to fit to."
        )
        return Uncertainty()
    logits = as_logits(validation.outputs, activation)
    view = ValidationView(logits, val_truth, _dives(val.records))
    calibration, ranking = _calibration(view, evidence, len(train_truth), reporter)
    if validation.features is None:
        reporter.message("novelty: from logits alone; this network has no pooled features.")
        detector = fit_detector(None, val_logits=logits, val_features=None)
        return Uncertainty(detector, calibration, view, ranking)
    rows, kept = (
        thinned_rows(len(inputs.records), MOST_TRAINING_IMAGES) for inputs in (train, val)
    )
    records = [train.records[row] for row in rows]
    detector = fit_detector(
        _training_view(infer(train.rows, rows), train_truth[rows], records, activation),
        val_logits=logits[kept],
        val_features=validation.features[kept],
    )
    names = ", ".join(detector.names)
    reporter.message(f"novelty: fitted on {len(records)} training images ({names}).")
    return Uncertainty(detector, calibration, view, ranking)


def _training_view(
    output: NetworkOutput, truth: Bools, records: Sequence[ImageRecord], activation: str
) -> TrainingView:
    if output.features is None:
        raise ValueError("the network gave features of validation images, but not of these")
    return TrainingView(
        output.features, as_logits(output.outputs, activation), truth, _dives(records)
    )


def as_logits(outputs: Float32s, activation: str) -> Float32s:
    """Return outputs as logits; those of "clip" are probabilities that may leave [0, 1]."""
    if activation == "sigmoid":
        return outputs
    clipped = np.clip(outputs, 1e-6, 1 - 1e-6)
    logits: Float32s = np.log(clipped / (1 - clipped))
    return logits


def _calibration(
    view: ValidationView, evidence: tuple[CategoryEvidence, ...], n_train: int, reporter: Reporter
) -> tuple[LogitCalibration | None, OpinionPool | None]:
    if not view.truth.any():
        reporter.message("calibration: none, because no validation image holds a category.")
        return None, None
    frequency = frequency_of(evidence, n_train)
    fitted = fit_calibration(
        view,
        method=DEFAULT_CALIBRATION,
        frequency=frequency,
        supercategories=[entry.supercategory for entry in evidence],
    )
    if not isinstance(fitted, LogitCalibration):
        raise TypeError(f"a bundle holds slopes, not {type(fitted).__name__}")
    reporter.message(f"{in_words(fitted)}.")
    ranking = fit_opinion_pool(view, frequency)
    reporter.message(
        "ranking: by the network's own probability and, beside it, class frequency with weight "
        f"{ranking.weight:g}."
    )
    _warn_of_lost_ranking(view, ranking, reporter)
    return fitted, ranking


def _warn_of_lost_ranking(view: ValidationView, ranking: OpinionPool, reporter: Reporter) -> None:
    """Say where predictions would rank far worse than the network does by itself."""
    own = map_at_k(view.truth, view.logits, empty="skip")
    shown = map_at_k(view.truth, ranking(view.logits), empty="skip")
    if shown >= own - _LOST_MAP:
        return
    reporter.warning(
        f"predictions of this bundle rank worse than its network does: MAP@20 {shown:.4f} in place "
        f"of {own:.4f} on validation images. Its logits, up to {np.abs(view.logits).max():,.0f}, "
        "could not be made probabilities. Try another backbone, or a lower learning_rate."
    )


def frequency_of(evidence: tuple[CategoryEvidence, ...], n_train: int) -> Frequency:
    """Return how often each category is in the `n_train` training images."""
    return training_frequency(
        np.array([entry.n_images for entry in evidence]),
        np.array([entry.n_dives for entry in evidence]),
        [entry.supercategory for entry in evidence],
        n_train=n_train,
    )


def in_words(calibration: LogitCalibration | None) -> str:
    """Return what was done to probabilities, or nothing."""
    if calibration is None:
        return ""
    slope = float(calibration.slope.max())
    was = "too sure" if slope < 1 - _ABOUT_RIGHT else "too cautious"
    aside = "" if abs(slope - 1) <= _ABOUT_RIGHT else f" (the network was {was})"
    about = CALIBRATIONS[DEFAULT_CALIBRATION].about
    return f"calibration slope {slope:.2f}{aside}, fitted to the validation dives as {about}"


def with_validation(
    evidence: tuple[CategoryEvidence, ...], truth: Bools, outputs: Float32s
) -> tuple[CategoryEvidence, ...]:
    """Return the evidence with how well each category is found on validation images."""
    if not len(outputs):
        return evidence
    scores = average_precision_by_category(truth, outputs)
    return tuple(
        entry.model_copy(
            update={
                "validation_ap": None if np.isnan(score) else round(float(score), 6),
                "n_validation_images": int(count),
            }
        )
        for entry, score, count in zip(evidence, scores, truth.sum(axis=0), strict=True)
    )


def _dives(records: Sequence[ImageRecord]) -> list[str]:
    return [record.dive_or_own for record in records]
