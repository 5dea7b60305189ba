"""How near the corrected share of frames comes to the truth, on real dives never trained on.

python benchmarks/shares_of_frames.py DATASET RUNS

RUNS holds, for each recipe and fold, a run folder RECIPE-FOLD with its bundle, and
RECIPE-FOLD.parquet with the predictions of the fold's dives (column `vector`: the
probability of each category).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.datasets.dives import parse_frame_name
from finding_nemo.metrics.accumulation import chao2
from finding_nemo.metrics.prevalence import (
    Estimate,
    corrected_share,
    effective_frames,
    share_with_interval,
)
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.bundle.uncertainty_tensors import calibrated, uncertainty_of
from finding_nemo.uncertainty.cautious_bars import FRAME_CORRELATION
from finding_nemo.uncertainty.operating_points import fit_operating_points

LEAST_FRAMES = 20


@dataclass(frozen=True)
class Row:
    """One name in one dive."""

    true: float
    named: Estimate
    corrected: Estimate


def rows_of(data: object, runs: Path, run: str) -> list[Row]:
    bundle = load_bundle(runs / run / "bundle")
    known = uncertainty_of(bundle)
    view = known.validation
    assert view is not None
    points = fit_operating_points(
        view.truth, calibrated(known, view.logits), view.dives, precision=0.9
    )
    table = pq.read_table(runs / f"{run}.parquet", columns=["image_id", "vector"])
    ids = table.column("image_id").to_pylist()
    said = np.array(table.column("vector").to_pylist())
    records = [data.by_id[one] for one in ids]  # type: ignore[attr-defined]
    truth = data.categories.multi_hot([one.category_ids for one in records])  # type: ignore[attr-defined]
    dives = np.array([one.dive_or_own for one in records])
    clips = np.array([parse_frame_name(one.path.name)[0] for one in records])
    rows = []
    for dive in np.unique(dives):
        of_dive = dives == dive
        if of_dive.sum() < LEAST_FRAMES:
            continue
        counts = np.unique(clips[of_dive], return_counts=True)[1].tolist()
        n_effective = effective_frames(counts, correlation=FRAME_CORRELATION)
        for column, point in enumerate(points):
            if not point.is_reached:
                continue
            is_named = said[of_dive, column] >= point.threshold
            named = share_with_interval(int(is_named.sum()), len(is_named), n_effective)
            recall, false = point.recall_interval, point.false_positive_interval
            corrected = corrected_share(
                named,
                Estimate(point.recall, recall.low, recall.high),
                Estimate(point.false_positive_rate, false.low, false.high),
            )
            rows.append(Row(float(truth[of_dive, column].mean()), named, corrected))
    return rows


def say(label: str, rows: list[Row]) -> None:
    known = [row for row in rows if row.corrected.is_known]
    print(f"{label}: {len(rows)} names of dives, {len(known)} corrected")
    for title, some in (
        ("all", known),
        ("present", [row for row in known if row.true > 0]),
        ("absent", [row for row in known if row.true == 0]),
    ):
        true = np.array([row.true for row in some])
        for kind in ("named", "corrected"):
            value = np.array([getattr(row, kind).value for row in some])
            low = np.array([getattr(row, kind).low for row in some])
            high = np.array([getattr(row, kind).high for row in some])
            print(
                f"  {title:8} n {len(some):4} {kind:10} mean share {value.mean():.4f} "
                f"(true {true.mean():.4f}) mean error {np.abs(value - true).mean():.4f} "
                f"held {np.mean((low <= true) & (true <= high)):.3f} "
                f"width {np.mean(high - low):.3f}"
            )


def categories_found(data: object, runs: Path, recipe: str) -> None:
    """Print how many categories clips show: the truth, and names at the wanted precision."""
    for fold in range(4):
        table = pq.read_table(runs / f"{recipe}-{fold}.parquet", columns=["image_id", "present"])
        records = [data.by_id[one] for one in table.column("image_id").to_pylist()]  # type: ignore[attr-defined]
        clips = np.array([parse_frame_name(one.path.name)[0] for one in records])
        _, number = np.unique(clips, return_inverse=True)
        for label, held in (
            ("true", [one.category_ids for one in records]),
            ("named", table.column("present").to_pylist()),
        ):
            pairs = {
                (clip, one) for clip, ids in zip(number, held, strict=True) for one in ids or ()
            }
            found = np.unique([one for _, one in pairs], return_counts=True)[1]
            total = chao2(found.astype(np.int64), int(number.max()) + 1)
            print(
                f"{recipe}-{fold} {label}: {total.found} categories in {number.max() + 1} clips, "
                f"Chao2 {total.estimate:.1f} ({total.low:.1f} to {total.high:.1f})"
            )


def main() -> None:
    data, runs = read_dataset(Path(sys.argv[1])), Path(sys.argv[2])
    for recipe in ("probe", "patches", "nemo"):
        found = [rows_of(data, runs, f"{recipe}-{fold}") for fold in range(4)]
        say(recipe, [row for rows in found for row in rows])
        categories_found(data, runs, recipe)


if __name__ == "__main__":
    main()
