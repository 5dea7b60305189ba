"""What the words sure, likely and guess are worth on dives that the bundles never saw.

`python benchmarks/answer_words.py DATASET --recipe probe RUN=PREDICTIONS RUN=PREDICTIONS ...`;
each RUN is a fold's bundle, PREDICTIONS what it says of the fold's test dives (Parquet, with
vector). The answers are made anew from the probabilities, so files of any version do.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from timing import table

from finding_nemo.core.arrays import Bools, Float64s
from finding_nemo.core.records import Dataset
from finding_nemo.data.dataset import read_dataset
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval
from finding_nemo.models.bundle.bundle import Bundle, load_bundle
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_of
from finding_nemo.prediction.postprocess import PostProcessor
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.uncertainty.answers import CONFIDENCES, familiar_images, give_answers


@dataclass(frozen=True)
class Judged:
    """The answers to the unseen frames of one fold."""

    words: list[str]
    levels: list[str]
    is_right: Bools
    best_is_right: Bools
    dives: list[str]

    def rows_of(self, word: str, level: str | None = None) -> Bools:
        """Return which answers have a word, and a level."""
        chosen: Bools = np.asarray(self.words) == word
        return chosen if level is None else chosen & (np.asarray(self.levels) == level)


def judge(dataset: Dataset, bundle: Bundle, predictions: Path) -> Judged:
    found = read_predictions(predictions)
    records = [dataset.by_id[name] for name in found.image_ids]
    names, groups = bundle.categories.names, bundle.categories.supercategories
    probabilities = found.probabilities_in(bundle.categories.ids)
    thresholds, detector = PostProcessor(bundle).thresholds, uncertainty_of(bundle).detector
    if found.assessment is None or thresholds is None or detector is None:
        raise SystemExit(f"{predictions} holds no assessment, or its bundle no validation images.")
    answers = give_answers(
        probabilities,
        names,
        groups,
        bars=thresholds.answer_bars,
        familiar=familiar_images(found.assessment.scores, detector),
    )
    by_id = {number: (names[j], groups[j]) for j, number in enumerate(bundle.categories.ids)}
    held = [[by_id[k] for k in record.category_ids or ()] for record in records]
    right = [
        any(answer.text == pair[answer.level == "supercategory"] for pair in pairs)
        for answer, pairs in zip(answers, held, strict=True)
    ]
    best = [names[j] for j in np.argmax(probabilities, axis=1)]
    return Judged(
        words=[answer.confidence for answer in answers],
        levels=[answer.level for answer in answers],
        is_right=np.array(right),
        best_is_right=np.array([b in {n for n, _ in h} for b, h in zip(best, held, strict=True)]),
        dives=[record.dive_or_own for record in records],
    )


def joined(folds: list[Judged]) -> Judged:
    return Judged(
        words=[word for fold in folds for word in fold.words],
        levels=[level for fold in folds for level in fold.levels],
        is_right=np.concatenate([fold.is_right for fold in folds]),
        best_is_right=np.concatenate([fold.best_is_right for fold in folds]),
        dives=[dive for fold in folds for dive in fold.dives],
    )


def line(name: str, judged: Judged, chosen: Bools) -> list[str]:
    if not chosen.any():
        return [name, "0.0 %", "-", "-", "0"]
    dives = [dive for dive, is_in in zip(judged.dives, chosen, strict=True) if is_in]
    right: Float64s = judged.is_right[chosen].astype(np.float64)
    interval = dive_bootstrap_interval(right, dives)
    return [
        name,
        f"{100 * chosen.mean():.1f} %",
        f"{100 * right.mean():.1f} %",
        f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %",
        str(len(set(dives))),
    ]


def report(recipe: str, folds: list[Judged]) -> None:
    whole = joined(folds)
    rows = []
    for word in CONFIDENCES:
        rows.append(line(word, whole, whole.rows_of(word)))
        for level in ("category", "supercategory"):
            chosen = whole.rows_of(word, level)
            if chosen.any() and not chosen.all():
                rows.append(line(f"  {word}, {level}", whole, chosen))
    everything = np.ones(len(whole.words), dtype=np.bool_)
    rows.append(line("every answer", whole, everything))
    print(f"\n{recipe}: {len(whole.words)} frames, {len(set(whole.dives))} dives")
    print(f"first guess right in {100 * whole.best_is_right.mean():.1f} %")
    print(table(["answer", "frames", "right", "95 % by dive", "dives"], rows))
    for number, fold in enumerate(folds):
        words = (
            f"{word} {100 * fold.rows_of(word).mean():.1f} %, right "
            f"{100 * fold.is_right[fold.rows_of(word)].mean():.1f} %"
            for word in CONFIDENCES
            if fold.rows_of(word).any()
        )
        print(f"fold {number}: {'; '.join(words)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--recipe", nargs="+", action="append", required=True)
    options = parser.parse_args()
    dataset = read_dataset(options.dataset)
    for recipe, *pairs in options.recipe:
        folds = []
        for pair in pairs:
            run, _, predictions = pair.partition("=")
            folds.append(judge(dataset, load_bundle(Path(run)), Path(predictions)))
        report(recipe, folds)


if __name__ == "__main__":
    main()
