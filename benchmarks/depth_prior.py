"""What it would bring to weigh categories by the depths at which they are known to live.

python benchmarks/depth_prior.py FATHOMNET_FOLDER DEPTHS_CSV

FathomNet's annotation files hold no depth, so depths are drawn: a dive is at the depth that suits
most of its labelled animals with a known range (one at random of those that suit equally), and its
frames lie around it by 30 m. Every second frame of a dive decides on it, and only the others are
judged. Dives without such an animal have no depth. What a network says is
drawn as in label_tree.py. Half of the dives fits the calibration and how common each category is at
each depth; the other half is judged, once with the table as it is and once with the ends of its
ranges off by a factor that is log-normal with 0.3, as a table may be off for another sea.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from label_tree import Bools, Floats, fathomnet, platt, say

from finding_nemo.data.dataset import read_dataset
from finding_nemo.metrics.ranking import map_at_k

GRID = np.arange(0.0, 4500.0, 10.0)
WITHIN_M, FRAME_M, LEAST = 100.0, 30.0, 0.02
WRONG_BY = 0.3


def ranges_of(path: Path, names: tuple[str, ...]) -> Floats:
    """Return the range of each category, shape (categories, 2); NaN where the table has none."""
    with path.open(encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    found = np.full((len(names), 2), np.nan)
    for at, name in enumerate(names):
        if name in rows:
            low, high = rows[name]["min_depth_m"], rows[name]["max_depth_m"]
            found[at] = float(low or 0), float(high or GRID[-1])
    return found


def depths_of(
    truth: Bools,
    dives: npt.NDArray[np.str_],
    ranges: Floats,
    is_voter: Bools,
    rng: np.random.Generator,
) -> Floats:
    """Draw the depth of each frame; NaN where nothing says it."""
    fits = (ranges[:, :1] <= GRID) & (ranges[:, 1:] >= GRID)  # NaN fits nowhere
    found = np.full(len(truth), np.nan)
    for dive in np.unique(dives):
        rows = dives == dive
        votes = truth[rows & is_voter].sum(axis=0) @ fits
        if votes.max() > 0:
            depth = rng.choice(GRID[votes == votes.max()])
            found[rows] = np.maximum(depth + rng.normal(0, FRAME_M, rows.sum()), 0)
    return found


def weights_at(depths: Floats, ranges: Floats) -> Floats:
    """Return how far each category is allowed at each depth, in [LEAST, 1]; 1 where unknown."""
    below = np.maximum(ranges[:, 0] - depths[:, np.newaxis], 0)
    above = np.maximum(depths[:, np.newaxis] - ranges[:, 1], 0)
    weights = np.maximum(np.exp(-(below + above) / WITHIN_M), LEAST)
    return np.where(np.isnan(weights), 1.0, weights)


def log_loss(truth: Bools, logits: Floats) -> float:
    return float(np.mean(np.logaddexp(0, np.where(truth, -logits, logits)).sum(axis=1)))


def main(folder: Path, table: Path) -> None:
    world = fathomnet(folder)
    ranges = ranges_of(table, read_dataset(folder).categories.names)
    # Every second frame says how deep its dive was, and only the others are judged: else the depth
    # would be drawn from the very labels that it is to help with.
    is_voter = np.arange(len(world.truth)) % 2 == 0
    print("categories with a range", int((~np.isnan(ranges[:, 0])).sum()))
    for clarity in (1.0, 2.0, 4.0):
        for tau in (1.0, 2.5):
            rng = np.random.default_rng(0)
            scores = say(world, clarity, tau, rng)
            names = np.unique(world.dives)
            val = np.isin(world.dives, rng.permutation(names)[: len(names) // 2])
            slope, offset = platt(scores[val].ravel(), world.truth[val].ravel())
            logits = slope * scores + offset
            depths = depths_of(world.truth, world.dives, ranges, is_voter, rng)
            test = ~val & ~np.isnan(depths) & ~is_voter
            truth, plain = world.truth[test], logits[test]
            print(f"clarity {clarity}, tau {tau}: {test.sum()} frames with a depth of "
                  f"{(~val & ~is_voter).sum()}; none: MAP@20 {map_at_k(truth, plain):.4f}, "
                  f"log loss {log_loss(truth, plain):.3f}", flush=True)  # fmt: skip
            off = np.sort(ranges * rng.lognormal(0, WRONG_BY, ranges.shape), axis=1)
            for label, known in (("table as it is", ranges), ("table off", off)):
                weights = weights_at(depths[test], known)
                usual = weights_at(depths[val & ~np.isnan(depths)], known).mean(axis=0)
                for way, change in (
                    ("outside less", weights),
                    ("and inside more", weights / usual),
                ):
                    moved = plain + np.log(change)
                    print(f"  {label}, {way}: MAP@20 {map_at_k(truth, moved):.4f}, "
                          f"log loss {log_loss(truth, moved):.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
