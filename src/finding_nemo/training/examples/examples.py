"""What the training loop takes: examples by number, and how stored rows become inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from finding_nemo.core.arrays import Float32s
from finding_nemo.training.examples.array_cache import CachedRows

Prepare = Callable[[npt.NDArray[np.generic], torch.Generator | None], torch.Tensor]


class TrainingExamples(Protocol):
    """Images with their targets, perhaps other views of them each epoch."""

    def __len__(self) -> int:
        """Return the number of images."""

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], Float32s]:
        """Return rows for `prepare` and float targets (images, n) of the images `chosen`."""


@dataclass(frozen=True)
class Examples:
    """Images with their truth.

    Attributes:
        rows: What the network takes, one row an image.
        truth: Float 0 or 1, shape (images, categories).
    """

    rows: CachedRows
    truth: Float32s

    def __len__(self) -> int:
        return len(self.rows)

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], Float32s]:
        """Return rows and truth of some images, the same in every epoch."""
        del epoch
        return self.rows.take(chosen), self.truth[chosen]
