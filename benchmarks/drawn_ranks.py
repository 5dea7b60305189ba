"""Answers by rank on drawn frames, whose names get a tree of five ranks above the species.

finding-nemo demo --out DEMO
python benchmarks/drawn_ranks.py DEMO TAXA_CSV

Writes the tree to TAXA_CSV. The demo's bundle answers its test dives with and without
`--ranks --taxa`, and the answers are judged.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rank_answers import judge

from finding_nemo import Predictor, read_dataset, read_split
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxa_file import read_taxa
from finding_nemo.prediction.rank_answers import Ranks
from finding_nemo.uncertainty.answers import CONFIDENCES

# phylum, class, order, family, then a genus a line with its species
TREE = """
Spiny-skinned | Balls | Round urchins | Urchins | Roundies: Pink urchin, White urchin
Spiny-skinned | Balls | Flat urchins | Cake urchins | Cakes: Pancake urchin
Spiny-skinned | Stars | Broad stars | Sun stars | Suns: Sun star
Spiny-skinned | Stars | Broad stars | Sand stars | Sands: Sand star, Cushion star
Spiny-skinned | Stars | Thin stars | Brittle stars | Brittles: Brittle star
Spiny-skinned | Cucumbers | Crawlers | Crawling cucumbers | Crawls: Running cucumber, Red cucumber
Spiny-skinned | Cucumbers | Swimmers | Swimming cucumbers | Swims: Swimming cucumber
Backboned | Fishes | Mailed fishes | Rockfishes | Rocks: Rockfish, Thornyhead
Backboned | Fishes | Cods | Hakes | Hakes of hakes: Hake
Backboned | Fishes | Cods | Rattails | Rats: Rattail
Backboned | Fishes | Long fishes | Eelpouts | Pouts: Eelpout
Backboned | Fishes | Long fishes | Snipe eels | Snipes: Snipe eel
Backboned | Jawless | Slimy ones | Hagfishes | Hags: Hagfish
Stinging | Flower animals | Anemones | Tall anemones | Talls: Plumose anemone, Flytrap anemone
Stinging | Flower animals | Anemones | Short anemones | Shorts: Pom-pom anemone
Stinging | Flower animals | Pens | Leafy pens | Leaves: Feather sea pen, Slender sea pen
Stinging | Flower animals | Pens | Headed pens | Heads: Umbellula
Stinging | Flower animals | Corals | Fan corals | Fans: Red fan coral, Bubblegum coral
Stinging | Jellies | Bells | Bell jellies | Bell ones: Bell jelly, Red jelly
Stinging | Jellies | Chains | Siphonophores | Chain ones: Siphonophore
Combed | Comb jellies | Combs | Comb family | Comb ones: Comb jelly
Jointed | Shelled | Shrimps | Shrimp family | Shrimp ones: Spot shrimp, Glass shrimp
Jointed | Shelled | Crabs | Crab family | Crab ones: Tanner crab
Jointed | Shelled | Crabs | Squat family | Squat ones: Squat lobster
Porous | Glassy | Vases | Vase family | Vase ones: Vase sponge
"""
RANKS = ("phylum", "class", "order", "family", "genus", "species")


def write_taxa(path: Path) -> None:
    parents: dict[str, tuple[str, str]] = {}
    for line in TREE.strip().splitlines():
        above, _, species = line.partition(":")
        steps = [step.strip() for step in above.split("|")]
        for rank, name, parent in zip(RANKS, steps, ["", *steps], strict=False):
            assert parents.setdefault(name, (rank, parent)) == (rank, parent), name
        for name in species.split(","):
            parents[name.strip()] = ("species", steps[-1])
    rows = [f"{name},{rank},{parent}" for name, (rank, parent) in parents.items()]
    path.write_text("\n".join(["name,rank,parent", *rows, ""]), encoding="utf-8")


def main(demo: Path, path: Path) -> None:
    write_taxa(path)
    taxa = read_taxa(path)
    data = read_dataset(demo / "dataset")
    table = data.categories
    held_by = [{t.name for t in resolve_name(n, table=taxa).lineage} for n in table.names]
    assert all(len(lineage) == len(RANKS) for lineage in held_by)
    test = data.subset(read_split(demo / "split.csv").ids_in("test"))
    truth = data.truth(test.records)
    judged: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    levels: dict[str, int] = {}
    ways: dict[str, Ranks] = {"groups": False, "ranks": taxa}
    for way, ranks in ways.items():
        predictor = Predictor(demo / "run", ranks=ranks)
        for held, row in zip(truth, predictor.predict(test), strict=True):
            answer = row.answer
            assert answer is not None, row.failure
            judged.setdefault((way, answer.confidence), []).append(
                judge(answer, held, table, held_by)
            )
            if answer.confidence != "guess":
                key = f"{way} {answer.confidence} {answer.level}"
                levels[key] = levels.get(key, 0) + 1
    for way in ("groups", "ranks"):
        n = sum(len(judged.get((way, word), [])) for word in CONFIDENCES)
        for word in CONFIDENCES:
            rows = judged.get((way, word), [])
            right = np.mean([hit for hit, _ in rows]) if rows else np.nan
            bits = sum(size for hit, size in rows if hit) / n
            print(f"{way:7} {word:7} {len(rows)} of {n} ({len(rows) / n:.3f}), "
                  f"right {right:.3f}, bits {bits:.3f}")  # fmt: skip
    print("levels:", levels)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
