"""Augmented views of the recipe nemo at 960 x 544: views a second by number of threads.

Run: python benchmarks/rendering.py [N_VIEWS]   with FINDING_NEMO_DATA naming the real data
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from timing import ROUNDS, data_folder, in_turn, machine, table

from finding_nemo import read_dataset
from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.resize import resize_pixels
from finding_nemo.training.augmentation.color_transfer import ColorTransferSources
from finding_nemo.training.augmentation.plan import (
    AugmentationPlan,
    AugmentationPolicy,
    PasteSources,
    plan_augmentation,
)
from finding_nemo.training.augmentation.render import render_augmentation
from finding_nemo.training.recipes.settings import NemoSettings

WIDTH, HEIGHT = 960, 544


def views(folder: Path, n_views: int) -> list[Callable[[], object]]:
    """Return what renders one view each."""
    dataset = read_dataset(folder)
    boxed = [record for record in dataset.records if record.boxes]
    records = boxed[:: max(len(boxed) // n_views, 1)][:n_views]
    pixels = {
        r.image_id: resize_pixels(decode_image(r.path).pixels, width_px=WIDTH, height_px=HEIGHT)
        for r in records
    }
    policy = AugmentationPolicy.of(NemoSettings())
    sources = PasteSources(records, dataset.categories)
    lights = ColorTransferSources(records, color_transfer_prob=policy.color_transfer_prob)

    def view(plan: AugmentationPlan) -> object:
        return render_augmentation(
            plan, lambda r: pixels[r.image_id], width_px=WIDTH, height_px=HEIGHT
        )

    return [
        partial(
            view,
            plan_augmentation(
                record, 1, sources, lights, dataset.categories, seed=0, policy=policy
            ),
        )
        for record in records
    ]


def rate(jobs: list[Callable[[], object]], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        started = time.perf_counter()
        list(pool.map(lambda job: job(), jobs))
        return len(jobs) / (time.perf_counter() - started)


def main(n_views: int) -> None:
    raise_malloc_thresholds()
    jobs = views(data_folder() / "trashcan", n_views)
    counts = sorted({1, 2, usable_cores()})
    found = in_turn({str(n): partial(rate, jobs, n) for n in counts})
    rows = [[n, f"{found[str(n)]:.0f}", f"{found[str(n)] / found['1']:.2f}"] for n in counts]
    print(f"Medians of {ROUNDS}. {machine()}\n")
    print(table(["threads", "views/s", "times one thread"], rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
