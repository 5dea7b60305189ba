"""Frames whose patches are stored, with what their boxes teach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.plan import identity_plan
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.patch_targets import patch_targets


@dataclass(frozen=True)
class PatchExamples:
    """Frames as they are, the same in every epoch.

    Attributes:
        records: The frames.
        rows: Features of their patches, (patches, features) a row.
        categories: For columns.
        grid: Rows and columns of the patches.
    """

    records: tuple[ImageRecord, ...]
    rows: CachedRows
    categories: CategoryTable
    grid: tuple[int, int]

    def __len__(self) -> int:
        return len(self.records)

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.float32]]:
        """Return features (images, patches, features) and targets as `patch_targets` does."""
        del epoch
        plans = [identity_plan(self.records[index], self.categories) for index in chosen]
        targets = [patch_targets(plan, self.grid, len(self.categories)) for plan in plans]
        return self.rows.take(chosen), np.stack(targets)
