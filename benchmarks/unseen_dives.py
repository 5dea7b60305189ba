"""Two experiments on dives never seen: ensembles over inner folds, and pasting on those dives.

    python benchmarks/patch_store.py DATASET FOLDS.csv STORE
    python benchmarks/unseen_dives.py probes DATASET FOLDS.csv STORE --probe PREDICTIONS...
    python benchmarks/unseen_dives.py patches DATASET FOLDS.csv STORE
    python benchmarks/unseen_dives.py pasted DATASET FOLDS.csv STORE
    python benchmarks/unseen_dives.py report DATASET FOLDS.csv STORE [--nemo ...] [--patches ...]

`probes` and `patches` train members, each without a part of the training dives, and one on all of
them; for `probe` on the features that its predictions made with --embeddings hold (one file a
fold). `pasted` trains one as usual and two with pasted views besides. Logits are kept in STORE;
`report` calibrates on validation dives and scores the test dives of all folds; from predictions of
`nemo` and `patches`, one file a fold, it scores ways to join both as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.parquet as pq
from joint_heads import Heads, Stored, parts_by_dive, train_patch_heads, train_probes
from patch_store import GRID, N_FOLDS, partition_of

from finding_nemo import read_dataset
from finding_nemo.core.arrays import Bools, Float32s, Float64s, Ints
from finding_nemo.core.records import Dataset
from finding_nemo.metrics.average_precision import macro_average_precision
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval, paired_dive_bootstrap
from finding_nemo.metrics.calibration_error import measure_reliability
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.models.networks.frozen_patch_network import spread_of
from finding_nemo.results.reading.embeddings import read_embeddings
from finding_nemo.training.augmentation.plan import identity_plan
from finding_nemo.training.examples.patch_targets import patch_targets
from finding_nemo.training.recipes.registry import find_recipe
from finding_nemo.training.recipes.settings import PatchesSettings, ProbeSettings
from finding_nemo.uncertainty.calibration import (
    DEFAULT_CALIBRATION,
    Frequency,
    ValidationView,
    fit_calibration,
    training_frequency,
)
from finding_nemo.uncertainty.label_tree import LabelTree, label_tree, least_expected_nearest
from finding_nemo.uncertainty.rollup import least_expected_distance

SomeSettings = TypeVar("SomeSettings", PatchesSettings, ProbeSettings)

N_MEMBERS = {"probe": 4, "patches": 3}
# The recipe `patches` shows frames six or seven times.
EPOCHS = 3


@dataclass(frozen=True)
class Frames:
    """The data set as arrays, and its folds as rows of them."""

    dataset: Dataset
    truth: Bools
    dives: list[str]
    train: tuple[Ints, ...]
    val: tuple[Ints, ...]
    test: tuple[Ints, ...]

    @classmethod
    def read(cls, folder: Path, folds: Path) -> Frames:
        """Read both."""
        dataset = read_dataset(folder)
        row_of = {record.image_id: row for row, record in enumerate(dataset.records)}
        parts: dict[str, list[Ints]] = {"train": [], "val": [], "test": []}
        for fold in range(N_FOLDS):
            split = partition_of(dataset, folds, fold).split
            for name, rows in parts.items():
                rows.append(np.array([row_of[image_id] for image_id in split.ids_in(name)]))
        return cls(
            dataset, dataset.truth(dataset.records),
            [record.dive_or_own for record in dataset.records],
            tuple(parts["train"]), tuple(parts["val"]), tuple(parts["test"]),
        )  # fmt: skip

    def own(self, fold: int, n_members: int) -> Bools:
        """Return which training frames are whose: the members' in turn, then all."""
        train = self.train[fold]
        part = parts_by_dive([self.dives[row] for row in train], n_members)
        members = [part != member for member in range(n_members)]
        return np.stack([*members, np.ones(len(train), dtype=np.bool_)])

    def frequency(self, rows: Ints) -> Frequency:
        """Return how often each category is in some rows, as `train` counts it."""
        truth, dives = self.truth[rows], np.array([self.dives[row] for row in rows])
        n_dives = np.array([len(np.unique(dives[column])) for column in truth.T])
        groups = self.dataset.categories.supercategories
        return training_frequency(truth.sum(axis=0), n_dives, groups, n_train=len(rows))


def train_on_patches(frames: Frames, store: Path, *, pasted: bool) -> None:
    """Train on patches, fold by fold; write logits of all frames that are judged."""
    stored = Stored.read(store / "frames.npy")
    targets = _targets(frames.dataset)
    for fold in range(N_FOLDS):
        at = store / f"logits-{'pasted' if pasted else 'patches'}-{fold}.npy"
        if at.exists():
            continue
        train, views = frames.train[fold], None
        heads = Heads(frames.own(fold, N_MEMBERS["patches"]))
        if pasted:
            heads = Heads(np.ones((3, len(train)), dtype=np.bool_), pasted=(1, 2), whole_frame=(2,))
            features = Stored.read(store / f"pasted-{fold}.npy")
            views = (features, np.load(store / f"targets-{fold}.npy"))
        logits_of = train_patch_heads(
            stored,
            targets,
            train,
            frames.val[fold],
            heads,
            spread=spread_of(stored.features[row] for row in train[:: max(len(train) // 256, 1)]),
            settings=_settings("patches", PatchesSettings).model_copy(update={"epochs": EPOCHS}),
            views=views,
        )
        _save(at, frames, fold, logits_of(_judged(frames, fold)))


def train_probe_members(frames: Frames, store: Path, predictions: Sequence[Path]) -> None:
    """Train probes, fold by fold; write logits of all frames that are judged."""
    row_of = {record.image_id: row for row, record in enumerate(frames.dataset.records)}
    found = read_embeddings(predictions)
    features = np.zeros((len(row_of), found.features.shape[1]), dtype=np.float32)
    features[[row_of[image_id] for image_id in found.image_ids]] = found.features
    settings = _settings("probe", ProbeSettings)
    for fold in range(N_FOLDS):
        logits = train_probes(
            features,
            frames.truth,
            frames.train[fold],
            frames.val[fold],
            frames.own(fold, N_MEMBERS["probe"]),
            settings,
        )
        _save(store / f"logits-probe-{fold}.npy", frames, fold, logits[:, _judged(frames, fold)])
        print(f"fold {fold}", flush=True)


def _settings(recipe: str, kind: type[SomeSettings]) -> SomeSettings:
    found = find_recipe(recipe).settings
    if not isinstance(found, kind):
        raise TypeError(f"the settings of {recipe} are {type(found).__name__}")
    return found


def _targets(dataset: Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    grid, n_categories = GRID, len(dataset.categories)
    plans = (identity_plan(record, dataset.categories) for record in dataset.records)
    found = [patch_targets(plan, grid, n_categories).astype(np.int8) for plan in plans]
    return np.stack(found).reshape(len(found), -1, n_categories)


def _judged(frames: Frames, fold: int) -> Ints:
    return np.concatenate([frames.val[fold], frames.test[fold]])


def _save(at: Path, frames: Frames, fold: int, logits: Float32s) -> None:
    np.save(at, logits)
    n_val = len(frames.val[fold])
    truth = frames.truth[frames.test[fold]]
    shown = [average_precision_at_k(truth, head[n_val:]).mean() for head in logits]
    print(at.name, "own ranking:", " ".join(f"{score:.4f}" for score in shown), flush=True)


def calibrated(frames: Frames, fold: int, logits: Float32s, trained_on: Ints) -> Float64s:
    """Return calibrated probabilities (validation and test frames, categories)."""
    val = frames.val[fold]
    dives = [frames.dives[row] for row in val]
    view = ValidationView(logits[: len(val)], frames.truth[val], dives)
    groups = frames.dataset.categories.supercategories
    return fit_calibration(
        view, method=DEFAULT_CALIBRATION, frequency=frames.frequency(trained_on),
        supercategories=groups,
    )(logits)  # fmt: skip


def ensemble_scores(frames: Frames, fold: int, logits: Float32s) -> dict[str, Float64s]:
    """Return the probabilities of each way for the validation and test frames of a fold."""
    train, n_members = frames.train[fold], len(logits) - 1
    own = frames.own(fold, n_members)
    heads = [
        calibrated(frames, fold, head, train[mine]) for head, mine in zip(logits, own, strict=True)
    ]
    members = np.clip(np.stack(heads[:n_members]), 1e-12, 1.0)
    geometric = np.exp(np.log(members).mean(axis=0))
    return {
        "one, trained on all": heads[n_members],
        "one member": members[0],
        "members, arithmetic mean": members.mean(axis=0),
        "members, geometric mean": geometric,
        "members, mean of logits": calibrated(frames, fold, logits[:n_members].mean(axis=0), train),
        "members and one on all, mean of logits": calibrated(
            frames, fold, logits.mean(axis=0), train
        ),
    }


def pasted_scores(frames: Frames, fold: int, logits: Float32s) -> dict[str, Float64s]:
    """Return the probabilities with and without pasted views."""
    names = ("as usual", "pasted, patches alone", "pasted, patches and frame")
    train = frames.train[fold]
    return {
        name: calibrated(frames, fold, head, train)
        for name, head in zip(names, logits, strict=True)
    }


def report(frames: Frames, store: Path) -> None:
    """Print the tables of what is in the store."""
    kinds = (("probe", ensemble_scores), ("patches", ensemble_scores), ("pasted", pasted_scores))
    for kind, scores_of in kinds:
        stored = [store / f"logits-{kind}-{fold}.npy" for fold in range(N_FOLDS)]
        if not all(path.exists() for path in stored):
            continue
        folds = [scores_of(frames, fold, np.load(path)) for fold, path in enumerate(stored)]
        for part in ("val", "test"):
            print(f"\n{kind}, {part}")
            _print_scores(frames, folds, part)
        _print_answers(frames, folds)


def report_recipes(frames: Frames, nemo: Sequence[Path], patches: Sequence[Path]) -> None:
    """Print the table of `nemo` and `patches` joined, as their predictions files have them."""
    row_of = {record.image_id: row for row, record in enumerate(frames.dataset.records)}
    folds = []
    for fold in range(N_FOLDS):
        said = []
        for path in (nemo[fold], patches[fold]):
            table = pq.read_table(path, columns=["image_id", "vector"])
            place = {row_of[name]: at for at, name in enumerate(table["image_id"].to_pylist())}
            vectors = table["vector"].combine_chunks()
            values = vectors.flatten().to_numpy().reshape(len(vectors), -1).astype(np.float64)
            said.append(values[[place[int(row)] for row in frames.test[fold]]])
        folds.append(_joined(np.clip(np.stack(said), 1e-9, 1 - 1e-9), len(frames.val[fold])))
    print("\nnemo and patches, test")
    _print_scores(frames, folds, "test")
    _print_answers(frames, folds)


def _joined(said: Float64s, n_val: int) -> dict[str, Float64s]:
    """Return each way to join probabilities (recipes, frames, categories) of test frames."""
    logits = np.log(said / (1 - said)).mean(axis=0)
    ways = {
        "nemo": said[0],
        "patches": said[1],
        "arithmetic mean": said.mean(axis=0),
        "geometric mean": np.exp(np.log(said).mean(axis=0)),
        "mean of logits": 1 / (1 + np.exp(-logits)),
    }
    empty = np.zeros((n_val, said.shape[2]))
    return {name: np.concatenate([empty, values]) for name, values in ways.items()}


def _part(frames: Frames, fold: int, scores: Float64s, part: str) -> tuple[Ints, Float64s]:
    n_val = len(frames.val[fold])
    if part == "val":
        return frames.val[fold], scores[:n_val]
    return frames.test[fold], scores[n_val:]


def _print_scores(frames: Frames, folds: Sequence[Mapping[str, Float64s]], part: str) -> None:
    base: Float64s | None = None
    for name in folds[0]:
        parts = [_part(frames, fold, scores[name], part) for fold, scores in enumerate(folds)]
        rows = np.concatenate([rows for rows, _ in parts])
        dives = [frames.dives[row] for row in rows]
        ap = [average_precision_at_k(frames.truth[rows], scores) for rows, scores in parts]
        macro = [macro_average_precision(frames.truth[rows], scores) for rows, scores in parts]
        error = measure_reliability(frames.truth[rows], np.concatenate([s for _, s in parts]))
        found = np.concatenate(ap)
        base = found if base is None else base
        interval = dive_bootstrap_interval(found, dives)
        paired = paired_dive_bootstrap(found, base, dives)
        print(
            f"{name}: {found.mean():.4f} ({interval.low:.3f} to {interval.high:.3f}) / "
            f"{np.mean(macro):.4f}; against the first {paired.mean:+.4f} "
            f"({paired.interval.low:+.4f} to {paired.interval.high:+.4f}); folds "
            + ", ".join(f"{a.mean():.3f} / {m:.3f}" for a, m in zip(ap, macro, strict=True))
            + f"; calibration {error.ece:.4f}"
        )


def _print_answers(frames: Frames, folds: Sequence[Mapping[str, Float64s]]) -> None:
    """Print how far one answer a frame is from the nearest category there, in steps."""
    categories = frames.dataset.categories
    pairs = zip(categories.names, categories.supercategories, strict=True)
    tree = label_tree([[("supercategory", group), ("category", name)] for name, group in pairs])
    steps = tree.steps()
    base: Float64s | None = None
    for name in folds[0]:
        parts = [_part(frames, fold, scores[name], "test") for fold, scores in enumerate(folds)]
        rows = np.concatenate([rows for rows, _ in parts])
        said = np.concatenate([scores for _, scores in parts])
        dives = [frames.dives[row] for row in rows]
        truth = frames.truth[rows]
        expected = _expected(said, steps[tree.of_category])
        ap = average_precision_at_k(truth, said)
        ranked = paired_dive_bootstrap(average_precision_at_k(truth, -expected), ap, dives)
        answers = {
            "most probable": tree.of_category[np.argmax(said, axis=1)],
            "least expected distance": least_expected_distance(said, steps)[0],
            "expected nearest": least_expected_nearest(said, tree)[0],
        }
        for rule, nodes in answers.items():
            far = np.where(truth, steps[nodes], np.inf).min(axis=1)
            base = far if base is None else base
            paired = paired_dive_bootstrap(far, base, dives)
            print(
                f"{name}, {rule}: {far.mean():.3f} steps, against the first {paired.mean:+.3f} "
                f"({paired.interval.low:+.3f} to {paired.interval.high:+.3f}); right category "
                f"{np.mean(far == 0):.3f}, a category {np.mean(_is_category(nodes, tree)):.3f}"
            )
        print(
            f"{name}, ranked by expected distance: {ranked.mean:+.4f} "
            f"({ranked.interval.low:+.4f} to {ranked.interval.high:+.4f})"
        )


def _expected(said: Float64s, steps: Float64s) -> Float64s:
    return np.asarray(said / said.sum(axis=1, keepdims=True) @ steps.T, dtype=np.float64)


def _is_category(nodes: Ints, tree: LabelTree) -> Bools:
    return np.isin(nodes, tree.of_category)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("probes", "patches", "pasted", "report"))
    parser.add_argument("dataset", type=Path)
    parser.add_argument("folds", type=Path)
    parser.add_argument("store", type=Path)
    for recipe in ("probe", "patches", "nemo"):
        parser.add_argument(f"--{recipe}", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    frames = Frames.read(options.dataset, options.folds)
    if options.what == "probes":
        train_probe_members(frames, options.store, options.probe)
    elif options.what == "report":
        report(frames, options.store)
        if options.nemo and options.patches:
            report_recipes(frames, options.nemo, options.patches)
    else:
        train_on_patches(frames, options.store, pasted=options.what == "pasted")


if __name__ == "__main__":
    main()
