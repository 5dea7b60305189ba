"""How many labels that were changed on purpose `inspect --deep` finds.

    python benchmarks/label_errors.py DATASET SEEDS PREDICTIONS...

`SEEDS` is such as 10-14. Three per cent of the labels are changed in memory, in five ways:

* uniform: replaced by any category that the frame does not have
* frequency: the same, but frequent categories are drawn as often as they occur
* clip: a category of a whole clip of at most 40 frames, until 3 % of the labels are changed
* dropped: taken away
* added: a category that the frame does not have is added

Printed is the share of changed labels among the first 10, 5 and 3 % of all labels; of dropped ones
among the first 10 and 3 % of as many suggestions; and what counts as a likely error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s, Ints
from finding_nemo.core.records import Dataset
from finding_nemo.data.dataset import read_dataset
from finding_nemo.evaluation.label_errors.confident_learning import likely_errors, order_of_doubt
from finding_nemo.evaluation.label_errors.dive_neighbors import (
    NeighborsOfFrames,
    find_neighbors,
)
from finding_nemo.evaluation.label_errors.find_label_errors import weigh_evidence
from finding_nemo.evaluation.label_errors.labelled_frames import LabelledFrames, label_frames
from finding_nemo.results.reading.embeddings import read_embeddings

_SHARE = 0.03
_LARGEST_CLIP = 40
Change = Callable[[LabelledFrames, np.random.Generator], Bools]


def _replaced(frames: LabelledFrames, rng: np.random.Generator, weights: Float64s) -> Bools:
    labels = frames.labels.copy()
    for row, column in _drawn(frames, rng):
        free = np.where(frames.labels[row] | labels[row], 0.0, weights)
        labels[row, column] = False
        labels[row, rng.choice(len(free), p=free / free.sum())] = True
    return labels


def _drawn(frames: LabelledFrames, rng: np.random.Generator) -> Ints:
    cells = np.argwhere(frames.labels)
    return cells[rng.choice(len(cells), round(_SHARE * len(cells)), replace=False)]


def uniform(frames: LabelledFrames, rng: np.random.Generator) -> Bools:
    return _replaced(frames, rng, np.ones(frames.labels.shape[1]))


def frequency(frames: LabelledFrames, rng: np.random.Generator) -> Bools:
    return _replaced(frames, rng, frames.labels.mean(axis=0) + 1e-12)


def clip(frames: LabelledFrames, rng: np.random.Generator) -> Bools:
    labels = frames.labels.copy()
    of_clips = np.array(sorted({(frames.clips[r], c) for r, c in np.argwhere(frames.labels)}))
    n_changed = 0
    for number, column in of_clips[rng.permutation(len(of_clips))]:
        members = np.flatnonzero(frames.clips == number)
        rows = members[frames.labels[members, column]]
        free = np.flatnonzero(~(frames.labels | labels)[members].any(axis=0))
        if len(members) > _LARGEST_CLIP or not len(free):
            continue
        labels[rows, column] = False
        labels[rows, rng.choice(free)] = True
        n_changed += len(rows)
        if n_changed >= _SHARE * frames.labels.sum():
            break
    return labels


def dropped(frames: LabelledFrames, rng: np.random.Generator) -> Bools:
    labels = frames.labels.copy()
    labels[tuple(_drawn(frames, rng).T)] = False
    return labels


def added(frames: LabelledFrames, rng: np.random.Generator) -> Bools:
    labels = frames.labels.copy()
    for row, _ in _drawn(frames, rng):
        labels[row, rng.choice(np.flatnonzero(~labels[row]))] = True
    return labels


CHANGES: tuple[Change, ...] = (uniform, frequency, clip, dropped, added)
KINDS = ("both", "own dive", "other dives")


def shares(
    frames: LabelledFrames, neighbors: NeighborsOfFrames, change: Change, seed: int
) -> dict[str, list[float]]:
    """Return what was found by each kind of evidence."""
    labels = change(frames, np.random.default_rng(seed))
    is_wrong, is_missing = labels & ~frames.labels, frames.labels & ~labels
    found = weigh_evidence(replace(frames, labels=labels), neighbors)
    far = found.far if found.far is not None else found.near
    rows: dict[str, list[float]] = {}
    pairs = ((found.near, found.far), (found.near, None), (far, None))
    for kind, (first, second) in zip(KINDS, pairs, strict=True):
        n_labels = labels.sum()
        rows[kind] = []
        for given, changed in ((True, is_wrong), (False, is_missing)):
            hits = changed[order_of_doubt(first, second, labels, given=given)]
            for share in (0.1, 0.05, 0.03):
                n_first = round(share * n_labels)
                rows[kind].append(hits[:n_first].sum() / max(changed.sum(), 1))
        likely = likely_errors(first, labels)
        for stated, changed in ((labels, is_wrong), (~labels, is_missing)):
            rows[kind] += [(likely & stated).sum(), (likely & changed).sum(), changed.sum()]
    return rows


def main(dataset: Dataset, seeds: range, files: list[Path]) -> None:
    """Print a table a change."""
    frames = label_frames(dataset, read_embeddings(files))
    neighbors = find_neighbors(frames.features, frames.dives, frames.clips)
    names = "wrong in 10 %, 5 %, 3 % | missing in 10 %, 5 %, 3 % | likely wrong, of them changed, "
    print(names + "all changed | likely missing, of them changed, all changed")
    for change in CHANGES:
        runs = [shares(frames, neighbors, change, seed) for seed in seeds]
        for kind in KINDS:
            mean = np.mean([run[kind] for run in runs], axis=0)
            low = np.min([run[kind] for run in runs], axis=0)
            print(
                f"{change.__name__:9s} {kind:11s}",
                " ".join(f"{value:.3f}" for value in mean[:6]),
                f"(least {low[0]:.3f}) |",
                " ".join(f"{value:.0f}" for value in mean[6:]),
                flush=True,
            )


if __name__ == "__main__":
    first, last = sys.argv[2].split("-")
    main(
        read_dataset(Path(sys.argv[1])),
        range(int(first), int(last) + 1),
        [Path(name) for name in sys.argv[3:]],
    )
