"""What it changes that categories above and below a true one are no negatives of it.

python benchmarks/ancestor_pairs.py simulated FATHOMNET_FOLDER
python benchmarks/ancestor_pairs.py trained DRAWN_FOLDER OUT

`simulated`: what a network says is drawn as in label_tree.py, on FathomNet's labels; MAP@20 with
relatives of true categories counted as wrong, and passed over.
`trained`: the drawn animals get names of species and genera, each group those of one order. Every
genus, family and order above them is a category, too. A box is labelled with its own name, or with
one of those above it, at random. `probe` is trained with both values of the setting `ancestors`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from label_tree import fathomnet, platt, say

from finding_nemo import Dataset, Predictor, evaluate, read_dataset, split_by_dive, train
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.evaluation.evaluate_rankings import relatives_of_true
from finding_nemo.marine.taxonomy_table import shipped_table
from finding_nemo.marine.tree_paths import related_pairs
from finding_nemo.metrics.ranking import average_precision_at_k

N_SEEDS = 8  # labels, splits and trainings anew
WIDER = 0.3  # share of the boxes that carry a name above their own


def simulated(folder: Path) -> None:
    world = fathomnet(folder)
    above = world.tree.category_above
    print("pairs", int(above.sum()))
    for clarity in (1.0, 2.0, 4.0):
        for tau in (1.0, 2.5):
            scores = say(world, clarity, tau, np.random.default_rng(0))
            slope, offset = platt(scores[::2].ravel(), world.truth[::2].ravel())
            said = slope * scores + offset
            found = [float(np.nanmean(average_precision_at_k(world.truth, said)))]
            for related in (above, related_pairs(above)):
                # Categories above only, then those below, too.
                near = relatives_of_true(world.truth, related.T)
                found.append(
                    float(np.nanmean(average_precision_at_k(world.truth, said, passed_over=near)))
                )
            print(f"clarity {clarity}, tau {tau}: counted {found[0]:.4f}, above passed over "
                  f"{found[1]:.4f}, above and below {found[2]:.4f}", flush=True)  # fmt: skip


def renamed(data: Dataset, seed: int) -> tuple[Dataset, dict[str, tuple[int, ...]]]:
    """Return the drawn set with names of a real tree, and which species are in each frame."""
    table, rng = shipped_table(), np.random.default_rng(seed)
    parents = set(table.parents.values())
    leaves: dict[str, list[str]] = defaultdict(list)
    for name, taxon in table.taxa.items():
        above_it = [t.name for t in table.lineage(name) if t.rank == "order"]
        if above_it and taxon.rank in ("species", "genus") and name not in parents:
            leaves[above_it[0]].append(name)
    orders = sorted(leaves, key=lambda order: (-len(leaves[order]), order))
    groups: dict[str, list[Category]] = defaultdict(list)
    for category in data.categories.categories:
        groups[category.supercategory].append(category)
    own: dict[int, str] = {}
    for order, group in zip(orders, sorted(groups, key=lambda g: -len(groups[g])), strict=False):
        for category, name in zip(groups[group], leaves[order], strict=False):
            own[category.category_id] = name
    wider = {
        name: [t.name for t in table.lineage(name)[:-1] if t.rank in ("genus", "family", "order")]
        for name in own.values()
    }
    names = [*own.values(), *sorted({name for above in wider.values() for name in above})]
    number = {name: at for at, name in enumerate(names, start=1)}
    groups_of = [Category(number[name], name, "animal") for name in names]
    records, truth = [], {}
    for record in data.records:
        labels = set()
        for box in record.boxes:
            label = own[box.category_id]
            above = wider[label]
            if above and rng.random() < WIDER:
                label = above[rng.integers(len(above))]
            labels.add(number[label])
        truth[record.image_id] = tuple(sorted({number[own[b.category_id]] for b in record.boxes}))
        records.append(replace(record, category_ids=tuple(sorted(labels)), boxes=()))
    return Dataset(data.root, CategoryTable(tuple(groups_of)), tuple(records)), truth


def trained(folder: Path, out: Path) -> None:
    drawn = read_dataset(folder)
    drawn = replace(drawn, records=tuple(r for r in drawn.records if r.origin == "train"))
    n_species = len(drawn.categories)
    for seed in range(N_SEEDS):
        data, species = renamed(drawn, seed)
        split = split_by_dive(data, seed=seed)
        judged = Dataset(
            data.root,
            data.categories,
            tuple(replace(r, category_ids=species[r.image_id]) for r in data.records),
        )
        test = data.subset(split.ids_in("test"))
        for way in ("negative", "ignored"):
            run = train(data, out=out / f"{way}{seed}", recipe="probe", split=split, seed=seed,
                        settings={"ancestors": way}, overwrite=True)  # fmt: skip
            table = Predictor(run.bundle).predict(test).to_table()
            found = evaluate(table, data, split=split, part="test", ignore_ancestors=True)
            assert found.ancestors is not None
            rows = [judged.by_id[name] for name in table.image_ids]
            truth = judged.truth(rows)[:, :n_species]
            fine = average_precision_at_k(
                truth, table.ranking_scores_in(data.categories.ids)[:, :n_species]
            )
            print(f"seed {seed}, {len(data.categories)} categories, "
                  f"{found.ancestors.n_pairs} pairs, {way}: "
                  f"as labelled {found.model.map_at_20.value:.4f}, "
                  f"relatives passed over {found.ancestors.map_at_20.value:.4f}, "
                  f"species alone, true ones {float(np.nanmean(fine)):.4f}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "simulated":
        simulated(Path(sys.argv[2]))
    else:
        trained(Path(sys.argv[2]), Path(sys.argv[3]))
