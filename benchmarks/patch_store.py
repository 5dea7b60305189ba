"""Patch features of a data set, and of its frames with animals of other dives pasted into them.

    python benchmarks/patch_store.py DATASET FOLDS.csv STORE

Writes STORE/frames.npy (frames, patches, features), and for each fold STORE/pasted-K.npy with
STORE/targets-K.npy: one view of every fourth frame of the fold's test dives. Of those frames the
pixels are read and nothing else; what is pasted comes from the fold's training frames.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo import read_dataset
from finding_nemo.core.arrays import Float32s, Pixels
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.images.workers.decode_on_every_core import decode_on_every_core
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.models.inference.pixel_network import PixelNetwork
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.models.networks.backbones import freeze, load_backbone
from finding_nemo.models.networks.frozen_patch_network import PatchFeatures
from finding_nemo.models.networks.patch_network import patch_grid
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.augmentation.color_transfer import ColorTransferSources
from finding_nemo.training.augmentation.plan import (
    WHOLE,
    AugmentationPlan,
    AugmentationPolicy,
    ColorJitter,
    PasteSources,
    plan_augmentation,
)
from finding_nemo.training.augmentation.render import render_augmentation
from finding_nemo.training.examples.cached_inputs import cache_features
from finding_nemo.training.examples.partition import Partition, make_partition
from finding_nemo.training.examples.patch_targets import patch_coverage
from finding_nemo.training.optimization.losses import UNKNOWN

N_FOLDS = 4
WIDTH_PX, HEIGHT_PX = 480, 352
GRID = (11, 15)
_PASTES_A_VIEW = 2.0
_EVERY = 4
_WINDOW = 32


@dataclass(frozen=True)
class FrozenPatches:
    """A frozen network that gives features of patches.

    Attributes:
        content: The network, exported.
        spec: What is done to pixels.
        grid: Rows and columns of patches.
        n_features: Of each patch.
    """

    content: bytes
    spec: Preprocessing
    grid: tuple[int, int]
    n_features: int


def frozen_patches() -> FrozenPatches:
    """Return the network of the recipe `patches` for frames of the usual size."""
    loaded = load_backbone("tf_efficientnet_lite2", n_outputs=0, pretrained=True)
    grid = patch_grid(loaded.network, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    spec = Preprocessing(width_px=WIDTH_PX, height_px=HEIGHT_PX, mean=loaded.mean, std=loaded.std)
    backbone: Any = freeze(loaded.network)
    content = export_onnx(PatchFeatures(backbone), spec, output="patches")
    return FrozenPatches(content, spec, grid, backbone.num_features)


def partition_of(dataset: Dataset, folds: Path, fold: int) -> Partition:
    """Return what `train --fold` makes of a fold."""
    return make_partition(dataset, read_split(folds), fold=fold, seed=0, reporter=Reporter())


def store_frames(dataset: Dataset, network: FrozenPatches, store: Path) -> None:
    """Write the features of every frame, in the data set's order."""
    shape = (math.prod(network.grid), network.n_features)
    with Reporter().progress("frames") as progress:
        found = cache_features(
            dataset.records, network.spec, network.content,
            row_shape=shape, dtype=np.float16, progress=progress,
        )  # fmt: skip
    partial = store / "frames.partial"
    out = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.float16, shape=(len(dataset.records), *shape)
    )
    for start in range(0, len(out), 256):
        rows = np.arange(start, min(start + 256, len(out)))
        out[rows] = found.rows.take(rows)
    out.flush()
    partial.rename(store / "frames.npy")


def plan_views(
    targets: Sequence[ImageRecord], train: Sequence[ImageRecord], categories: CategoryTable
) -> tuple[AugmentationPlan, ...]:
    """Return one view of each target frame, with at least one animal of the training frames."""
    sources = PasteSources(train, categories)
    plans = []
    for record in targets:
        # What anybody knows of the target frame stays out.
        plain = replace(record, category_ids=None, boxes=())
        number, plan = 0, None
        while plan is None or not plan.pastes:
            number += 1
            plan = plan_augmentation(
                plain, number, sources, ColorTransferSources((), color_transfer_prob=0.0),
                categories, seed=0, policy=AugmentationPolicy(copy_paste=_PASTES_A_VIEW),
            )  # fmt: skip
        plans.append(replace(plan, window=WHOLE, color_jitter=ColorJitter()))
    return tuple(plans)


def pasted_targets(
    plan: AugmentationPlan, grid: tuple[int, int], n_categories: int
) -> tuple[Float32s, Float32s]:
    """Return what is known of a view: of the frame, and of each patch, row by row.

    1 for what was pasted. Patches that were pasted over hold nothing else; all the rest is
    `UNKNOWN`, for nobody says what else the frame shows.
    """
    frame = np.full(n_categories, UNKNOWN, dtype=np.float32)
    patches = np.full((*grid, n_categories), UNKNOWN, dtype=np.float32)
    covered = [(mark.column, patch_coverage(mark.area, grid)) for mark in plan.marks]
    for _, cover in covered:
        patches[cover] = 0
    for column, cover in covered:
        frame[column] = 1
        patches[cover, column] = 1
    return frame, patches.reshape(math.prod(grid), n_categories)


def store_views(
    plans: Sequence[AugmentationPlan], network: FrozenPatches, n_categories: int, at: Path
) -> None:
    """Write features of the views to `at`, and what is known of them beside it."""
    opened = open_network(network.content, network.spec)
    shape = (len(plans), math.prod(network.grid), network.n_features)
    out = np.lib.format.open_memmap(at, mode="w+", dtype=np.float16, shape=shape)
    row = 0
    for features in _features(plans, opened, network.spec):
        out[row : row + len(features)] = features
        row += len(features)
    known = [pasted_targets(plan, network.grid, n_categories) for plan in plans]
    targets = np.stack([np.concatenate([frame[None], patches]) for frame, patches in known])
    np.save(at.with_name(at.name.replace("pasted", "targets")), targets.astype(np.int8))


def _features(
    plans: Sequence[AugmentationPlan], opened: PixelNetwork, spec: Preprocessing
) -> Iterator[Float32s]:
    def decode(record: ImageRecord) -> Pixels:
        return decode_on_every_core(record.path, spec).pixels

    def render(plan: AugmentationPlan) -> Pixels:
        return render_augmentation(plan, decode, width_px=spec.width_px, height_px=spec.height_px)

    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(plans), _WINDOW):
            views = list(pool.map(render, plans[start : start + _WINDOW]))
            yield opened.forward(np.stack(views)).outputs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("folds", type=Path)
    parser.add_argument("store", type=Path)
    options = parser.parse_args()
    options.store.mkdir(parents=True, exist_ok=True)
    dataset, network = read_dataset(options.dataset), frozen_patches()
    if not (options.store / "frames.npy").exists():
        store_frames(dataset, network, options.store)
        print("frames are stored", flush=True)
    for fold in range(N_FOLDS):
        if (options.store / f"targets-{fold}.npy").exists():
            continue
        partition = partition_of(dataset, options.folds, fold)
        by_id = dataset.by_id
        targets = [by_id[image_id] for image_id in partition.split.ids_in("test")]
        targets = targets[::_EVERY]
        plans = plan_views(targets, partition.train, dataset.categories)
        at = options.store / f"pasted-{fold}.npy"
        store_views(plans, network, len(dataset.categories), at)
        print(f"fold {fold}: {sum(len(p.pastes) for p in plans)} pasted", flush=True)


if __name__ == "__main__":
    main()
