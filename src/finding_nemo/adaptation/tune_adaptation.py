"""All numbers of the adaptation, chosen by simulated reviews on dives whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from finding_nemo.adaptation.adaptation_settings import AdaptationSettings, KernelSettings
from finding_nemo.adaptation.adapted_calibration import fit_calibration
from finding_nemo.adaptation.rest_quality import QualityClues, fit_quality
from finding_nemo.adaptation.simulate_reviews import (
    STEPS,
    SimulatedStep,
    TrueDive,
    is_counted,
    mean_over_frames,
    simulate_dive,
)
from finding_nemo.core.errors import SettingsError
from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.ranking import average_precision_at_k

# Natural logarithm by which a drawn number strays from the default, in the mean.
_STRAY = 0.5
# Reaches in seconds are not drawn: most data sets have no times.
_FIXED = ("near_s", "far_s")


def tune_on(
    dives: Sequence[TrueDive],
    *,
    draws: int = 0,
    seed: int = 0,
    start: AdaptationSettings | None = None,
    reporter: Reporter | None = None,
) -> AdaptationSettings:
    """Return settings fitted on simulated reviews of `dives`, which are then no test of them.

    The covariance is the geometric mean of the best quarter of `draws` random ones around `start`
    and `start` itself, by the mean MAP@20 over the numbers of reviews in `STEPS`: the best one
    alone is the luckiest. Calibration and quality are fitted with it.

    Args:
        dives: With their truth; those of fewer than 20 frames are passed over.
        draws: How many covariances to try beside that of `start`.
        seed: Of the draws.
        start: Where to begin; default the shipped settings.
        reporter: Shown the progress.

    Raises:
        SettingsError: If no dive is large enough.
    """
    counted = [dive for dive in dives if is_counted(dive, STEPS[0])]
    if not counted:
        raise SettingsError(
            "Tuning needs a dive of at least 20 frames with known labels, got none."
        )
    settings = start or AdaptationSettings()
    generator = np.random.default_rng(seed)
    tried = [settings.kernel, *(_strayed(settings.kernel, generator) for _ in range(draws))]
    scores: list[float] = []
    with (reporter or Reporter()).progress("settings tried", unit="settings") as show:
        for kernel in tried if draws else ():
            scores.append(_score(counted, replace(settings, kernel=kernel)))
            show(len(scores), len(tried))
    best = np.argsort(-np.array(scores), kind="stable")[: max(len(scores) // 4, 1)]
    kernel = _geometric_mean([tried[row] for row in best]) if draws else settings.kernel
    chosen = replace(settings, kernel=kernel)
    return fit_on_steps(chosen, _simulated(counted, chosen))


def _geometric_mean(kernels: Sequence[KernelSettings]) -> KernelSettings:
    means = {
        name: float(np.exp(np.mean([np.log(getattr(kernel, name)) for kernel in kernels])))
        for name in asdict(kernels[0])
        if name not in _FIXED
    }
    return replace(kernels[0], **means)


def _strayed(kernel: KernelSettings, generator: np.random.Generator) -> KernelSettings:
    names = [name for name in asdict(kernel) if name not in _FIXED]
    factors = np.exp(generator.normal(0.0, _STRAY, len(names)))
    return replace(
        kernel,
        **{n: float(getattr(kernel, n) * f) for n, f in zip(names, factors, strict=True)},
    )


def _simulated(dives: Sequence[TrueDive], settings: AdaptationSettings) -> list[SimulatedStep]:
    return [step for dive in dives for step in simulate_dive(dive, settings).values()]


def _score(dives: Sequence[TrueDive], settings: AdaptationSettings) -> float:
    steps = _simulated(dives, settings)
    by_count = [
        mean_over_frames([scores_of(step) for step in steps if len(step.reviewed) == count])
        for count in STEPS
    ]
    return float(np.nanmean(by_count))


def scores_of(step: SimulatedStep) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return AP@20 of each frame of the rest."""
    rest = step.rest
    return average_precision_at_k(step.source.truth[rest], step.adapted.probabilities[rest])


def fit_on_steps(
    settings: AdaptationSettings, steps: Sequence[SimulatedStep]
) -> AdaptationSettings:
    """Return the settings with calibration and quality as `steps`, made with them, show.

    Raises:
        SettingsError: If the steps hold no frame to fit on.
    """
    kept = [step for step in steps if step.rest.size]
    if not kept:
        raise SettingsError("Every frame was reviewed; there is no rest to calibrate on.")
    calibration = fit_calibration(
        np.concatenate([step.adapted.posterior.mean[step.rest] for step in kept]),
        np.concatenate([step.adapted.posterior.variance[step.rest] for step in kept]),
        np.concatenate([step.source.truth[step.rest] for step in kept]),
    )
    calibrated = replace(settings, calibration=calibration)
    again = [_again(step, calibrated) for step in kept]
    clues = [(step, step.adapted.clues) for step in again if step.adapted.clues is not None]
    scores = [float(scores_of(step).mean()) for step, _ in clues]
    quality = fit_quality(
        [clue for _, clue in clues],
        scores,
        [step.source.dive.name for step, _ in clues],
        decay=_decay([clue for _, clue in clues], scores),
    )
    return replace(calibrated, quality=quality)


def _again(step: SimulatedStep, settings: AdaptationSettings) -> SimulatedStep:
    """Return the step with the same frames reviewed, calibrated anew."""

    def same(dive: TrueDive, known: object, reviewed: object, count: int) -> object:
        return step.reviewed

    found = simulate_dive(
        step.source,
        settings,
        policy=same,  # type: ignore[arg-type] # it asks for nothing that it is given
        steps=(len(step.reviewed),),
    )
    return found[len(step.reviewed)]


def _decay(clues: Sequence[QualityClues], scores: Sequence[float]) -> float:
    """Return how fast the mean loss falls: the slope of its logarithm by that of the reviews."""
    counts = np.array([clue.n_reviewed for clue in clues])
    losses = 1.0 - np.asarray(scores)
    kinds = np.unique(counts)
    means = np.array([losses[counts == kind].mean() for kind in kinds])
    if kinds.size < 2 or (means <= 0).any():
        return AdaptationSettings().quality.decay
    slope = np.polyfit(np.log(kinds + 1.0), np.log(means), 1)[0]
    return float(np.clip(-slope, 0.1, 2.0))
