"""Frames looked at against MAP@20 of the rest, from predictions of dives that no training saw.

    python benchmarks/adaptation.py DATASET fold0.parquet fold1.parquet ... [--draws 24]
        [--also other-recipe-fold0.parquet ...]

One predictions file a fold, made with --embeddings by the bundle that did not see its dives. The
settings of each fold are tuned on the dives of the others, as all recipes predict them (`--also`,
as many files of each as there are folds), from values set by hand before any search; `--shipped`
takes the shipped covariance instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from finding_nemo import read_dataset
from finding_nemo.adaptation.adapt_dive import AdaptedDive, adapt_dive, choose_places
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings, KernelSettings
from finding_nemo.adaptation.curve_of_reviews import SUGGESTED, review_curve, settings_by_fold
from finding_nemo.adaptation.files.true_dives import true_dives
from finding_nemo.adaptation.frame_choice import DiveCoverage, most_useful
from finding_nemo.adaptation.rest_quality import estimate_quality, pool_quality
from finding_nemo.adaptation.simulate_reviews import (
    STEPS,
    SimulatedStep,
    TrueDive,
    complete_labels,
    mean_over_frames,
    simulate_dive,
    with_wrong_answers,
)
from finding_nemo.adaptation.tune_adaptation import scores_of, tune_on
from finding_nemo.core.arrays import Float64s
from finding_nemo.metrics.average_precision import average_precision_by_category
from finding_nemo.metrics.calibration_error import measure_reliability
from finding_nemo.metrics.ranking import average_precision_at_k

BY_HAND = KernelSettings(
    dive=0.15, clip=0.4, moment=0.5, features=0.3, features_in_clip=0.3, likeness_scale=0.35,
    near_frames=10.0, noise=0.15, base_share=0.7,
)  # fmt: skip
SettingsOf = Callable[[TrueDive], AdaptationSettings]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("folds", type=Path, nargs="+")
    parser.add_argument("--also", type=Path, nargs="*", default=[])
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--shipped", action="store_true")
    options = parser.parse_args()
    dataset, n_folds = read_dataset(options.dataset), len(options.folds)
    dives = true_dives(dataset, options.folds)
    starts = range(0, len(options.also), n_folds)
    recipes = [true_dives(dataset, options.also[at : at + n_folds]) for at in starts]
    tuned_on = [dive for recipe in (dives, *recipes) for dive in recipe]
    start = AdaptationSettings() if options.shipped else AdaptationSettings(kernel=BY_HAND)
    draws = 0 if options.shipped else options.draws
    settings_of = settings_by_fold(tuned_on, lambda part: tune_on(part, draws=draws, start=start))
    for fold in sorted({dive.fold for dive in dives}):
        found = settings_of(next(dive for dive in dives if dive.fold == fold))
        rounded = {name: round(value, 3) for name, value in asdict(found.kernel).items()}
        print(f"fold {fold}: {rounded} {found.calibration} {found.quality}")
    _print_curve(dives, settings_of)
    _print_after_review(dives, settings_of)
    _print_wrong(dives, settings_of)
    _print_without_places(dives, settings_of)
    _print_budget(dives, settings_of)
    _print_misplaced(dives, settings_of)
    _print_held_out(dives, settings_of)


def _print_curve(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    curve = review_curve(dives, settings_of)
    print("MAP@20 / macro AP of the rest at", *STEPS)
    for way in dict.fromkeys(point.way for point in curve.points):
        cells = [f"{p.map_at_20:.3f} / {p.macro_ap:.3f}" for p in curve.of(way)]
        print(f"| {way} |", " | ".join(cells), "|")
    for count, difference in curve.against_time.items():
        print(count, "suggested against time:", difference)
    counted = {p.n_reviewed: len(set(p.dives)) for p in curve.of(SUGGESTED)}
    print("dives", counted, "frames", {p.n_reviewed: len(p.ap) for p in curve.of(SUGGESTED)})


def _steps(dives: Sequence[TrueDive], settings_of: SettingsOf) -> list[SimulatedStep]:
    return [s for d in dives for s in simulate_dive(d, settings_of(d)).values()]


def _print_after_review(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    steps = _steps(dives, settings_of)
    for count in STEPS:
        kept = [step for step in steps if len(step.reviewed) == count]
        truth = np.concatenate([step.source.truth[step.rest] for step in kept])
        after = np.concatenate([step.adapted.probabilities[step.rest] for step in kept])
        before = np.concatenate([step.source.dive.base[step.rest] for step in kept])
        ece = [measure_reliability(truth, values).ece for values in (before, after)]
        clues = [(s, c, settings_of(s.source).quality) for s in kept if (c := s.adapted.clues)]
        held, errors, widths = [], [], []
        parts = []
        for step, clue, quality in clues:
            found = estimate_quality(clue, quality)
            so = float(scores_of(step).mean())
            held.append(found.interval.low - 1e-9 <= so <= found.interval.high + 1e-9)
            errors.append(abs(found.map_at_20 - so))
            widths.append(found.interval.high - found.interval.low)
            parts.append((found, so, len(step.rest)))
        generator, pooled = np.random.default_rng(0), []
        for _ in range(2000):  # files of five dives
            rows = generator.choice(len(parts), 5, replace=False)
            whole = pool_quality([parts[row][0] for row in rows])
            sizes = np.array([parts[row][2] for row in rows])
            so = float(sizes @ [parts[row][1] for row in rows] / sizes.sum())
            if whole is not None:
                pooled.append(whole.interval.low <= so <= whole.interval.high)
        print(
            f"{count}: calibration error before {ece[0]:.4f} after {ece[1]:.4f}; interval of a "
            f"dive holds {np.mean(held):.3f} of {len(held)}, of five dives {np.mean(pooled):.3f}, "
            f"width {np.mean(widths):.3f}, mean error {np.mean(errors):.3f}"
        )


def _by_count(found: Sequence[Mapping[int, SimulatedStep]]) -> str:
    scores = [
        mean_over_frames([scores_of(states[count]) for states in found if count in states])
        for count in STEPS
    ]
    return " ".join(f"{score:.3f}" for score in scores)


def _print_wrong(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    answers = with_wrong_answers(dives, 0.1)
    found = [
        simulate_dive(dive, settings_of(dive), answers=given)
        for dive, given in zip(dives, answers, strict=True)
    ]
    print("10 % of the reviews wrong:", _by_count(found))


def _print_without_places(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    blind = [replace(d, dive=replace(d.dive, frames=d.dive.frames.without_places())) for d in dives]
    print(
        "nothing known of clip and time:",
        _by_count([simulate_dive(d, settings_of(d)) for d in blind]),
    )
    blind = [
        replace(d, dive=replace(d.dive, frames=replace(d.dive.frames, features=None)))
        for d in dives
    ]
    print("no embeddings:", _by_count([simulate_dive(d, settings_of(d)) for d in blind]))


def _print_misplaced(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    """Clip and number of other frames of the dive: the reviews themselves must notice."""
    mixed = [_misplaced(dive, seed) for seed, dive in enumerate(dives)]
    kernel = settings_of(dives[0]).kernel
    scores = []
    for count in STEPS:
        steps = [simulate_dive(dive, settings_of(dive)).get(count) for dive in mixed]
        reviewed = [
            replace(step.source.dive, labels=complete_labels(step.reviewed, step.source.truth))
            for step in steps
            if step is not None
        ]
        used = choose_places(reviewed, kernel).value
        found = [simulate_dive(d, settings_of(d), with_places=used).get(count) for d in mixed]
        scores.append(mean_over_frames([scores_of(step) for step in found if step is not None]))
        trusted = mean_over_frames([scores_of(step) for step in steps if step is not None])
        print(f"places of other frames, {count} looked at: used {used}; trusted {trusted:.3f}")
    print("places of other frames:", " ".join(f"{score:.3f}" for score in scores))


def _misplaced(dive: TrueDive, seed: int) -> TrueDive:
    frames = dive.dive.frames
    order = np.random.default_rng(seed).permutation(len(frames))
    mixed = replace(frames, clips=frames.clips[order], numbers=frames.numbers[order])
    return replace(dive, dive=replace(dive.dive, frames=mixed))


def _print_budget(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    """The same mean number of frames, spent where they help most: two of each dive come first."""
    scores: dict[int, list[Float64s]] = {}
    for fold in sorted({dive.fold for dive in dives}):
        part = [dive for dive in dives if dive.fold == fold]
        settings = settings_of(part[0])
        states: list[AdaptedDive | None] = [None] * len(part)
        reviewed = [np.empty(0, dtype=np.int64) for _ in part]
        for mean in STEPS[:3]:
            left = mean * len(part) - sum(map(len, reviewed))
            choices = [
                DiveCoverage(
                    dive.dive.frames,
                    settings.kernel,
                    reviewed=rows,
                    usable=dive.dive.usable,
                    uncertainty=None if known is None else known.uncertainty,
                ).choose(mean if known is None else left)
                for dive, rows, known in zip(part, reviewed, states, strict=True)
            ]
            for number, frame in most_useful(choices, left):
                reviewed[number] = np.append(reviewed[number], frame.row)
            for number, dive in enumerate(part):
                labels = complete_labels(reviewed[number], dive.truth)
                found = adapt_dive(replace(dive.dive, labels=labels), settings)
                rest = np.setdiff1d(np.arange(len(dive.truth)), reviewed[number])
                ap = average_precision_at_k(dive.truth[rest], found.probabilities[rest])
                states[number] = found
                scores.setdefault(mean, []).append(ap)
    print("one budget:", {mean: round(mean_over_frames(ap), 3) for mean, ap in scores.items()})


def _print_held_out(dives: Sequence[TrueDive], settings_of: SettingsOf) -> None:
    """A category of which the prediction says nothing: one frame of it is looked at."""
    generator, found = np.random.default_rng(0), []
    for dive in dives:
        counts = dive.truth.sum(axis=0)
        for column in np.flatnonzero((counts > 1) & (counts < len(dive.truth))):
            row = generator.choice(np.flatnonzero(dive.truth[:, column]), 1)
            base = dive.dive.base.copy()
            base[:, column] = 0.0
            labels = complete_labels(row, dive.truth)
            adapted = adapt_dive(replace(dive.dive, base=base, labels=labels), settings_of(dive))
            rest = np.setdiff1d(np.arange(len(base)), row)
            ap = average_precision_by_category(
                dive.truth[rest][:, [column]], adapted.probabilities[rest][:, [column]]
            )
            found.append((int(column), float(ap[0]), float(dive.truth[rest, column].mean())))
    values = np.array([value for _, value, _ in found])
    columns = np.array([column for column, _, _ in found])
    by_category = [values[columns == column].mean() for column in np.unique(columns)]
    print(
        f"held-out category, one frame of it reviewed: AP {values.mean():.3f} over {len(values)} "
        f"pairs of dive and category, {np.mean(by_category):.3f} over {len(by_category)} "
        f"categories; chance {np.mean([share for *_, share in found]):.3f}"
    )


if __name__ == "__main__":
    main()
