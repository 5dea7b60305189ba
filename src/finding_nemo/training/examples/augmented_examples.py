"""Training frames as other views every epoch, with what each view teaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.color_transfer import Lights, Pixels
from finding_nemo.training.augmentation.plan import Donors, plan_view
from finding_nemo.training.augmentation.render import render_view
from finding_nemo.training.examples.array_cache import StoredRows
from finding_nemo.training.examples.cached_inputs import ReadyInputs
from finding_nemo.training.examples.patch_targets import view_targets


@dataclass(frozen=True)
class ViewExamples:
    """Frames whose view in epoch e is their e-th.

    Attributes:
        records: The frames.
        rows: Their pixels at the network's size, uint8 (height, width, 3) a row.
        row_of: From image id to row.
        donors: What is pasted into them.
        lights: Whose light they are shown in.
        categories: For columns.
        grid: Rows and columns of the network's patches.
        pastes: How many animals are pasted into a view, in the mean.
        seed: Of all that is drawn.
    """

    records: tuple[ImageRecord, ...]
    rows: StoredRows
    row_of: Mapping[str, int]
    donors: Donors
    lights: Lights
    categories: CategoryTable
    grid: tuple[int, int]
    pastes: float
    seed: int

    @classmethod
    def of(
        cls,
        ready: ReadyInputs,
        categories: CategoryTable,
        *,
        grid: tuple[int, int],
        pastes: float,
        lit: float,
        seed: int,
    ) -> ViewExamples:
        """Return the views of frames whose pixels are stored, which lend each other all else."""
        return cls(
            records=ready.records,
            rows=ready.rows,
            row_of={record.image_id: row for row, record in enumerate(ready.records)},
            donors=Donors(ready.records, categories),
            lights=Lights(ready.records, lit=lit),
            categories=categories,
            grid=grid,
            pastes=pastes,
            seed=seed,
        )

    def __len__(self) -> int:
        return len(self.records)

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.float32]]:
        """Return pixels, uint8 (images, height, width, 3), and targets as `view_targets` does."""
        views = [
            plan_view(
                self.records[index],
                epoch,
                self.donors,
                self.lights,
                self.categories,
                seed=self.seed,
                pastes=self.pastes,
            )
            for index in chosen
        ]
        height, width = self._pixels(self.records[0]).shape[:2]
        pixels = [render_view(v, self._pixels, width_px=width, height_px=height) for v in views]
        targets = [view_targets(view, self.grid, len(self.categories)) for view in views]
        return np.stack(pixels), np.stack(targets)

    def _pixels(self, record: ImageRecord) -> Pixels:
        row: Pixels = self.rows.take(np.array([self.row_of[record.image_id]]))[0]
        return row
