"""Training frames, augmented anew in every epoch, with the targets of each view."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.color_transfer import ColorTransferSources
from finding_nemo.training.augmentation.plan import (
    AugmentationPlan,
    AugmentationPolicy,
    PasteSources,
    plan_augmentation,
)
from finding_nemo.training.augmentation.render import render_augmentation
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.examples.patch_targets import patch_targets


@dataclass(frozen=True)
class AugmentedExamples:
    """Frames whose view in epoch e is their e-th.

    Attributes:
        records: The frames.
        rows: Their pixels at the network's size, uint8 (height, width, 3) a row.
        row_of: From image id to row.
        paste_sources: What is pasted into them.
        color_transfers: Whose light they are shown in.
        categories: For columns.
        grid: Rows and columns of the network's patches.
        policy: How strongly they are augmented.
        seed: Of all that is drawn.
        threads: How many render a batch. Each view depends on its plan alone: the pixels are the
            same with any number.
    """

    records: tuple[ImageRecord, ...]
    rows: CachedRows
    row_of: Mapping[str, int]
    paste_sources: PasteSources
    color_transfers: ColorTransferSources
    categories: CategoryTable
    grid: tuple[int, int]
    policy: AugmentationPolicy
    seed: int
    threads: int = 1
    # Begins no thread before it is used, and ends them with these examples.
    _pool: ThreadPoolExecutor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pool", ThreadPoolExecutor(self.threads, "rendering"))

    @classmethod
    def of(
        cls,
        inputs: CachedInputs,
        categories: CategoryTable,
        *,
        grid: tuple[int, int],
        policy: AugmentationPolicy,
        seed: int,
        threads: int = 1,
    ) -> AugmentedExamples:
        """Return the views of frames whose pixels are stored, which lend each other all else."""
        return cls(
            records=inputs.records,
            rows=inputs.rows,
            row_of={record.image_id: row for row, record in enumerate(inputs.records)},
            paste_sources=PasteSources(inputs.records, categories),
            color_transfers=ColorTransferSources(
                inputs.records, color_transfer_prob=policy.color_transfer_prob
            ),
            categories=categories,
            grid=grid,
            policy=policy,
            seed=seed,
            threads=threads,
        )

    def __len__(self) -> int:
        return len(self.records)

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.float32]]:
        """Return pixels, uint8 (images, height, width, 3), and targets as `patch_targets` does."""
        height, width = self._pixels(self.records[0]).shape[:2]
        pixels = np.empty((len(chosen), height, width, 3), dtype=np.uint8)

        def example(position: int) -> npt.NDArray[np.float32]:
            plan = self._plan(int(chosen[position]), epoch)
            pixels[position] = render_augmentation(
                plan, self._pixels, width_px=width, height_px=height
            )
            return patch_targets(plan, self.grid, len(self.categories))

        if self.threads == 1:
            return pixels, np.stack([example(position) for position in range(len(chosen))])
        return pixels, np.stack(list(self._pool.map(example, range(len(chosen)))))

    def _plan(self, index: int, epoch: int) -> AugmentationPlan:
        return plan_augmentation(
            self.records[index],
            epoch,
            self.paste_sources,
            self.color_transfers,
            self.categories,
            seed=self.seed,
            policy=self.policy,
        )

    def _pixels(self, record: ImageRecord) -> Pixels:
        row: Pixels = self.rows.take(np.array([self.row_of[record.image_id]]))[0]
        return row
