"""One answer a frame by rank against category and supercategory, with the product's own bars.

python benchmarks/rank_answers.py FATHOMNET_FOLDER

What a network says is drawn as in label_tree.py. Half of the dives fits, the other half is
answered.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence, Set
from pathlib import Path

import numpy as np
from label_tree import Bools, fathomnet, platt, say

from finding_nemo.core.assessment import Answer
from finding_nemo.core.categories import CategoryTable
from finding_nemo.data.dataset import read_dataset
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.prediction.rank_answers import fit_rank_answers
from finding_nemo.uncertainty.answers import CONFIDENCES, fit_answer_bars, give_answers
from finding_nemo.uncertainty.calibration import ValidationView


def judge(
    answer: Answer, truth: Bools, table: CategoryTable, held_by: Sequence[Set[str]]
) -> tuple[bool, float]:
    """Return whether an answer is right, and how many bits it says if it is.

    Args:
        answer: To one frame.
        truth: Which categories are in it, shape (categories,).
        table: Of the categories.
        held_by: The taxa that hold each category, itself among them.
    """
    columns = np.array(
        [
            name == answer.text
            or (answer.level == "supercategory" and group == answer.text)
            or (answer.level not in ("category", "supercategory") and answer.text in taxa)
            for name, group, taxa in zip(table.names, table.supercategories, held_by, strict=True)
        ]
    )
    return bool(truth[columns].any()), float(np.log2(len(table) / columns.sum()))


def main() -> None:
    world = fathomnet(Path(sys.argv[1]))
    table = read_dataset(Path(sys.argv[1])).categories
    names, groups = table.names, table.supercategories
    held_by = [{taxon.name for taxon in resolve_name(name).lineage} for name in names]

    for clarity in (1.0, 2.0, 4.0):
        for tau in (1.0, 2.5):
            found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
            for seed in range(3):
                rng = np.random.default_rng(seed)
                scores = say(world, clarity, tau, rng)
                dives = np.unique(world.dives)
                val = np.isin(world.dives, rng.permutation(dives)[: len(dives) // 2])
                slope, offset = platt(scores[val].ravel(), world.truth[val].ravel())
                said = 1 / (1 + np.exp(-(slope * scores + offset)))
                view = ValidationView(
                    scores[val].astype(np.float32), world.truth[val], world.dives[val].tolist()
                )
                ways = {
                    "groups": give_answers(
                        said[~val], names, groups, bars=fit_answer_bars(view, said[val], groups)
                    ),
                    "ranks": fit_rank_answers(view, said[val], names, groups).give(
                        said[~val], names
                    ),
                }
                for way, answers in ways.items():
                    judged = [
                        judge(a, t, table, held_by)
                        for a, t in zip(answers, world.truth[~val], strict=True)
                    ]
                    for word in CONFIDENCES:
                        of = [
                            j for a, j in zip(answers, judged, strict=True) if a.confidence == word
                        ]
                        share = np.mean([hit for hit, _ in of]) if of else np.nan
                        bits = sum(size for hit, size in of if hit) / len(answers)
                        found.setdefault((way, word), []).append(
                            (len(of) / len(answers), float(share), bits)
                        )
            print(f"clarity {clarity}, tau {tau}")
            for (way, name), rows in found.items():
                shares = np.nanmean(np.array(rows), axis=0)
                print(
                    f"  {way:7} {name:7} {shares[0]:.3f} right {shares[1]:.3f} bits {shares[2]:.3f}"
                )


if __name__ == "__main__":
    main()
