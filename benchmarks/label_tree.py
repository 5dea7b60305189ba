"""One answer a frame in the tree of names: simulated on FathomNet's labels and on a drawn tree.

python benchmarks/label_tree.py FATHOMNET_FOLDER

What a network says is drawn by a stated model: the latent score of category j in frame i is
log(frequency of j) + a_i exp(-d / tau) + dive's own error + noise, where d is the steps in the tree
from j to the nearest animal that is there, and a_i the frame's clarity, log-normal. Half of the
dives calibrate (one slope, one offset) and fit bars; the other half is answered.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.data.dataset import read_dataset
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxon import MAIN_RANKS
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.uncertainty.label_tree import (
    LabelTree,
    answer_in_tree,
    fit_rank_bars,
    label_tree,
    least_expected_nearest,
    nodes_present,
)
from finding_nemo.uncertainty.rollup import least_expected_distance

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """Frames, what is in them, and both trees of their categories."""

    truth: Bools
    dives: npt.NDArray[np.str_]
    tree: LabelTree  # of names
    groups: LabelTree  # supercategory, category


def fathomnet(folder: Path) -> World:
    data = read_dataset(folder)
    truth = data.categories.multi_hot([record.category_ids or () for record in data.records])
    has = truth.any(axis=1)
    paths = []
    names = set(data.categories.names)
    for name in data.categories.names:
        record = resolve_name(name)
        path = [
            (taxon.rank, taxon.name)
            for taxon in record.lineage
            if taxon.rank in MAIN_RANKS[1:] or taxon.name in names or taxon is record.lineage[-1]
        ]
        if record.accepted != name:  # a name of its own below the taxon that holds it
            path.append(("category", name))
        paths.append(path)
    groups = [
        [("supercategory", group), ("category", name)]
        for name, group in zip(data.categories.names, data.categories.supercategories, strict=True)
    ]
    dives = np.asarray([record.dive or record.image_id for record in data.records])
    return World(truth[has], dives[has], label_tree(paths), label_tree(groups))


def drawn(seed: int) -> World:
    """Draw 243 categories in a tree of five ranks, and 120 dives of 50 frames."""
    rng = np.random.default_rng(seed)
    ranks = ("class", "order", "family", "genus", "species")
    paths = [
        [(rank, "".join(str(number // 3 ** (4 - k) % 3) for k in range(at + 1)))
         for at, rank in enumerate(ranks)]
        for number in range(243)
    ]  # fmt: skip
    frequency = rng.permutation(1.0 / np.arange(1, 244))
    truth = np.zeros((6000, 243), dtype=np.bool_)
    for dive in range(120):
        here = frequency * rng.gamma(0.3, 1.0, 243)
        here /= here.sum()
        for row in range(dive * 50, dive * 50 + 50):
            truth[row, rng.choice(243, size=1 + rng.poisson(0.6), replace=False, p=here)] = True
    dives = np.asarray([f"dive{row // 50}" for row in range(6000)])
    groups = [[path[1], ("category", path[-1][1])] for path in paths]
    groups = [[("supercategory", first[1]), last] for first, last in groups]
    return World(truth, dives, label_tree(paths), label_tree(groups))


def say(world: World, clarity: float, tau: float, rng: np.random.Generator) -> Floats:
    steps = world.tree.steps()[world.tree.of_category]
    near = np.stack([steps[:, row].min(axis=1) for row in world.truth])
    a = clarity * rng.lognormal(0.0, 0.5, (len(near), 1))
    _, dive = np.unique(world.dives, return_inverse=True)
    off = rng.normal(0, 0.7, (dive.max() + 1, near.shape[1]))[dive]
    prior = np.log(world.truth.mean(axis=0) + 1e-4)
    return np.asarray(prior + a * np.exp(-near / tau) + off + rng.normal(0, 1, near.shape))


def measure(world: World, clarity: float, tau: float, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    scores = say(world, clarity, tau, rng)
    names = np.unique(world.dives)
    val = np.isin(world.dives, rng.permutation(names)[: len(names) // 2])
    slope, offset = platt(scores[val].ravel(), world.truth[val].ravel())
    said = 1 / (1 + np.exp(-(slope * scores + offset)))
    test, found = ~val, {}
    truth, steps = world.truth[test], world.tree.steps()
    for label, tree in (("tree", world.tree), ("groups", world.groups)):
        for wanted in (0.9, 0.7):
            bars = fit_rank_bars(
                said[val], world.truth[val], world.dives[val].tolist(), tree,
                wanted=wanted, lowest=wanted,
            )  # fmt: skip
            answers = answer_in_tree(said[test], tree, bars)
            right = nodes_present(truth, tree)[np.arange(len(truth)), answers.nodes]
            size = tree.holds.sum(axis=1)[answers.nodes]
            sure = answers.is_sure
            key = f"{label} {wanted}"
            found[f"{key} sure"] = float(sure.mean())
            found[f"{key} right"] = float(right[sure].mean()) if sure.any() else float("nan")
            found[f"{key} kinds"] = float(np.median(size[sure])) if sure.any() else float("nan")
            bits = np.where(sure & right, np.log2(truth.shape[1] / size), 0.0)
            found[f"{key} bits"] = float(bits.mean())
            if label == "tree":
                of = {rank: 0.0 for rank in tree.levels}
                for node in answers.nodes[sure]:
                    of[tree.ranks[node]] += 1 / len(sure)
                found |= {f"{key} at {rank}": share for rank, share in of.items()}
                found[f"{key} steps"] = _steps(answers.nodes, truth, steps)
    best = world.tree.of_category[np.argmax(said[test], axis=1)]
    found["steps most probable"] = _steps(best, truth, steps)
    chosen = {
        "least expected": least_expected_distance(said[test], steps)[0],
        "least nearest": least_expected_nearest(said[test], world.tree)[0],
    }
    for label, nodes in chosen.items():
        found[f"steps {label}"] = _steps(nodes, truth, steps)
        present = nodes_present(truth, world.tree)[np.arange(len(truth)), nodes]
        found[f"right {label}"] = float(present.mean())
        found[f"kinds {label}"] = float(np.median(world.tree.holds.sum(axis=1)[nodes]))
    found["right most probable"] = float(
        truth[np.arange(len(truth)), np.argmax(said[test], 1)].mean()
    )
    above = (truth.astype(np.int64) @ world.tree.category_above.T.astype(np.int64)) > 0
    found["frames with a category above a true one"] = float(above.any(axis=1).mean())
    found["MAP@20"] = map_at_k(truth, said[test])
    found["MAP@20, those above left out"] = map_at_k(
        truth, np.where(above & ~truth, -1.0, said[test])
    )
    return found


def _steps(nodes: npt.NDArray[np.int64], truth: Bools, steps: Floats) -> float:
    return float(np.mean([steps[node, row].min() for node, row in zip(nodes, truth, strict=True)]))


def platt(scores: Floats, truth: Bools) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(scores[:, np.newaxis], truth)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def main() -> None:
    worlds = {"FathomNet": fathomnet(Path(sys.argv[1])), "drawn": drawn(0)}
    for name, world in worlds.items():
        print(name, world.truth.shape, len(np.unique(world.dives)), len(world.tree.nodes))
        for clarity in (1.0, 2.0, 4.0):
            for tau in (1.0, 2.5):
                rows = [measure(world, clarity, tau, seed) for seed in range(3)]
                print(f"\n{name}: clarity {clarity}, tau {tau}")
                for key in rows[0]:
                    values = [row[key] for row in rows]
                    if np.mean(values) >= 0.001:
                        print(f"  {key:28} {np.mean(values):.3f}")


if __name__ == "__main__":
    main()
