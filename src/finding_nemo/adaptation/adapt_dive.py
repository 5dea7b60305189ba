"""One dive: its reviews in, better probabilities of all its frames out, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.adaptation.adaptation_settings import AdaptationSettings, KernelSettings
from finding_nemo.adaptation.adapted_calibration import calibrate_scores
from finding_nemo.adaptation.covariance import DiveFrames
from finding_nemo.adaptation.label_regression import DiveLabels, Posterior, regress_labels
from finding_nemo.adaptation.rest_quality import QualityClues
from finding_nemo.core.arrays import AnyFloats, Bools, Float64s
from finding_nemo.core.choice import Choice
from finding_nemo.metrics.ranking import average_precision_at_k

# Fewer reviews cannot tell whether clip and time mislead.
_LEAST_TO_COMPARE = 8
# By chance, few reviews are often foretold a little better without clip and time that help.
# Measured on files of one to ten dives: docs/experiments/0040-adaptation.md.
_CLEARLY_WORSE = 1.05


@dataclass(frozen=True, kw_only=True)
class Dive:
    """A dive with what was predicted and reviewed of it.

    Attributes:
        name: The dive's name.
        frames: Its frames.
        base: The base prediction, in [0, 1], shape (frames, categories).
        labels: Of the frames that a person looked at.
        usable: Frames that could be read, shape (frames,).
    """

    name: str
    frames: DiveFrames
    base: AnyFloats
    labels: DiveLabels
    usable: Bools

    @property
    def is_rest(self) -> Bools:
        """Readable frames that nobody looked at, shape (frames,)."""
        rest = self.usable.copy()
        rest[self.labels.rows] = False
        return rest


@dataclass(frozen=True, kw_only=True)
class AdaptedDive:
    """What is known of a dive after its reviews.

    Attributes:
        probabilities: Calibrated, shape (frames, categories); what a person saw is 1 or 0.
        posterior: What they were made of.
        uncertainty: Of each frame, at least 0: the summed variance of its labels, (frames,).
        clues: To how good the rest is; `None` without reviews or without a rest.
    """

    probabilities: Float64s
    posterior: Posterior
    uncertainty: Float64s
    clues: QualityClues | None


def adapt_dive(
    dive: Dive, settings: AdaptationSettings, *, with_places: bool = True
) -> AdaptedDive:
    """Return the dive's probabilities after its reviews; without any, the base prediction.

    Args:
        dive: The dive.
        settings: All numbers.
        with_places: Whether clip and time are used beside features.
    """
    frames = dive.frames if with_places else dive.frames.without_places()
    posterior = regress_labels(frames, dive.base, dive.labels, settings.kernel)
    if len(dive.labels):
        found = calibrate_scores(posterior.mean, posterior.variance, settings.calibration)
    else:
        found = dive.base.astype(np.float64)
    uncertainty = (found * (1.0 - found)).sum(axis=1)
    for row, present, known in zip(
        dive.labels.rows, dive.labels.present, dive.labels.known, strict=True
    ):
        found[row] = np.where(known, present, found[row])
    clues = _clues(dive, found, posterior)
    return AdaptedDive(
        probabilities=found, posterior=posterior, uncertainty=uncertainty, clues=clues
    )


def _clues(dive: Dive, probabilities: Float64s, posterior: Posterior) -> QualityClues | None:
    rest, labels = dive.is_rest, dive.labels
    kept = labels.is_complete & labels.present.any(axis=1)
    if not rest.any() or not kept.any():
        return None
    left_out = average_precision_at_k(labels.present[kept], posterior.left_out[kept])
    return QualityClues(
        n_reviewed=len(labels),
        n_rest=int(rest.sum()),
        top_probability=float(probabilities[rest].max(axis=1).mean()),
        left_out_ap=float(left_out.mean()),
        variance=float(posterior.variance[rest].mean()),
    )


def choose_places(dives: Sequence[Dive], settings: KernelSettings) -> Choice[bool]:
    """Choose whether clip and time are used: not where the reviews themselves speak against it.

    Each reviewed frame is foretold by the dive's other reviews, once with clip and time and once
    by features alone; they are dropped where the squared error over all dives is clearly smaller
    without them.
    """
    if all(dive.frames.features is None for dive in dives):
        return Choice(True, "there are no features", shown="used")
    counted = [dive for dive in dives if len(dive.labels) > 1]
    missed = [missed_by_places(dive, settings) for dive in counted]
    return choose_by_errors(missed, sum(len(dive.labels) for dive in counted))


def missed_by_places(dive: Dive, settings: KernelSettings) -> tuple[float, float]:
    """Return the summed squared error of reviews foretold by the others, with places and without.

    Args:
        dive: With at least two reviews; frames that nobody looked at are not needed.
        settings: Of the covariance.
    """
    errors = []
    for frames in (dive.frames, dive.frames.without_places()):
        found = regress_labels(
            frames.take(dive.labels.rows),
            dive.base[dive.labels.rows],
            _alone(dive.labels),
            settings,
        )
        missed = (found.left_out - dive.labels.present)[dive.labels.known]
        errors.append(float((missed**2).sum()))
    return errors[0], errors[1]


def choose_by_errors(missed: Sequence[tuple[float, float]], n_reviewed: int) -> Choice[bool]:
    """Choose whether clip and time are used.

    Args:
        missed: Of each dive with at least two reviews what `missed_by_places` says.
        n_reviewed: The reviews of those dives.
    """
    if n_reviewed < _LEAST_TO_COMPARE:
        reason = f"fewer than {_LEAST_TO_COMPARE} reviews cannot tell whether they mislead"
        return Choice(True, reason, shown="used")
    with_them = sum(pair[0] / n_reviewed for pair in missed)
    without = sum(pair[1] / n_reviewed for pair in missed)
    is_used = with_them <= _CLEARLY_WORSE * without
    reason = (
        f"each of {n_reviewed} reviews, foretold by the others, comes out "
        f"{'as well with' if is_used else 'better without'} them (squared error {with_them:.3f} "
        f"with, {without:.3f} without)"
    )
    return Choice(is_used, reason, shown="used" if is_used else "not used")


def _alone(labels: DiveLabels) -> DiveLabels:
    return DiveLabels(rows=np.arange(len(labels)), present=labels.present, known=labels.known)
