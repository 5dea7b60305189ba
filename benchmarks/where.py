"""Whether maps show animals where their boxes are, on frames of dives that were not trained on.

    python benchmarks/where.py DATASET SPLIT runs/patches-0=fold0 runs/patches-1=fold1 --every 4

Each BUNDLE=PART is judged on the part of the split that it did not train on. For every category
that a frame truly holds, with a box, the map of that category is held against its boxes:

energy      share of the map that lies in the boxes; a map that says nothing scores their area
peak        how often a box reaches into the largest patch; a map that says nothing scores the share
            of patches that a box reaches into
            and always pointing at the middle of the frame stands beside it

One JSON line for the maps as they are kept (how far above the mean) and one for each of two other
scales (sigmoid as a share of the largest; from the lowest to the highest logit). "all" are all
categories in truth, "shown" those among the frame's five best guesses, which a predictions file
holds maps of. Intervals are 95 % by dive.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Float64s
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval
from finding_nemo.metrics.localization import box_cover, energy_inside, peak_touches
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.bundle.uncertainty_tensors import calibrated, uncertainty_of
from finding_nemo.models.inference.open_bundle_network import open_bundle_network
from finding_nemo.prediction.covered_parts import maps_by_covering
from finding_nemo.prediction.guess_maps import above_mean, in_bytes
from finding_nemo.prediction.sources.prepared_image import prepare_image


@dataclass(frozen=True)
class Shown:
    """One category of one frame, and how its map did on each scale."""

    dive: str
    among_best: bool
    area: float
    touched: float
    middle: float
    energy: dict[str, float]
    peak: float


def lowest_to_highest(logits: AnyFloats) -> Float64s:
    """Return a map from 0 at its lowest logit to 1 at its highest."""
    spread = float(logits.max() - logits.min())
    return np.asarray((logits - logits.min()) / (spread or 1.0), dtype=np.float64)


def sigmoid_share(logits: AnyFloats) -> Float64s:
    """Return the sigmoid of each logit as a share of the largest."""
    logs = -np.logaddexp(0.0, -logits.astype(np.float64))
    return np.asarray(np.exp(logs - logs.max()), dtype=np.float64)


def judge(
    bundle_path: Path, records: Sequence[ImageRecord], dataset: Dataset, *, covering: bool = False
) -> Iterator[Shown]:
    """Yield each category with a box in each frame; `covering`: as if the network gave no maps."""
    bundle = load_bundle(bundle_path)
    network = open_bundle_network(bundle, with_maps=True)
    uncertainty = uncertainty_of(bundle)
    prepared = prefetch_map(
        lambda record: prepare_image(record.path, bundle.preprocessing), records, threads=2
    )
    for record, image in zip(records, prepared, strict=True):
        if image.pixels is None or not image.width or not image.height:
            continue
        output = network.forward(image.pixels[np.newaxis])
        if output.patch_logits is None and not covering:
            raise SystemExit(f"{bundle_path} gives no maps: train it with this version.")
        best = rank_columns(calibrated(uncertainty, output.outputs), k=5)[0]
        for category_id in sorted({box.category_id for box in record.boxes}):
            column = dataset.categories.column_of(category_id)
            logits = (
                maps_by_covering(network, image.pixels, [column])[0]
                if covering or output.patch_logits is None
                else output.patch_logits[0, column]
            )
            boxes = [
                (box.x_px, box.y_px, box.width_px, box.height_px)
                for box in record.boxes
                if box.category_id == category_id
            ]
            cover = box_cover(
                boxes,
                width_px=image.width,
                height_px=image.height,
                grid=(logits.shape[0], logits.shape[1]),
            )
            kept = in_bytes(above_mean(logits)).astype(np.float64)
            yield Shown(
                dive=record.dive_or_own,
                among_best=column in best,
                area=float(cover.mean()),
                touched=float((cover > 0).mean()),
                middle=float(cover[cover.shape[0] // 2, cover.shape[1] // 2] > 0),
                energy={
                    "above the mean": energy_inside(kept, cover),
                    "sigmoid": energy_inside(sigmoid_share(logits), cover),
                    "lowest to highest": energy_inside(lowest_to_highest(logits), cover),
                },
                peak=float(peak_touches(logits, cover)),
            )


def with_interval(values: Sequence[float], dives: Sequence[str]) -> list[float]:
    """Return mean, low and high."""
    array = np.asarray(values, dtype=np.float64)
    interval = dive_bootstrap_interval(array, dives)
    return [round(float(v), 3) for v in (np.nanmean(array), interval.low, interval.high)]


def tell(name: str, shown: Sequence[Shown]) -> None:
    """Print one line a scale."""
    if not shown:
        return
    dives = [each.dive for each in shown]
    common = {
        "judged": name,
        "n": len(shown),
        "n_dives": len(set(dives)),
        "area": with_interval([each.area for each in shown], dives),
        "peak": with_interval([each.peak for each in shown], dives),
        "peak by chance": with_interval([each.touched for each in shown], dives),
        "peak in the middle": with_interval([each.middle for each in shown], dives),
    }
    for scale in shown[0].energy:
        energy = with_interval([each.energy[scale] for each in shown], dives)
        print(json.dumps({**common, "scale": scale, "energy": energy}), flush=True)


def main() -> None:
    """Judge all bundles and print their figures together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("split", type=Path)
    parser.add_argument("bundles", nargs="+", metavar="BUNDLE=PART")
    parser.add_argument("--covering", action="store_true", help="maps by covering parts")
    parser.add_argument("--every", type=int, default=1, help="one frame of so many, in order")
    arguments = parser.parse_args()
    dataset, split = read_dataset(arguments.dataset), read_split(arguments.split)
    shown: list[Shown] = []
    for pair in arguments.bundles:
        bundle, _, part = pair.rpartition("=")
        ids = split.ids_in(part)[:: arguments.every]
        records = [dataset.by_id[image_id] for image_id in ids]
        shown += judge(Path(bundle), records, dataset, covering=arguments.covering)
    tell("all", shown)
    tell("shown", [each for each in shown if each.among_best])


if __name__ == "__main__":
    main()
