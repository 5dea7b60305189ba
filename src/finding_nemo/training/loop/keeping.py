"""When the state of a training is kept, and what of it is each process's own."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import nn, optim

from finding_nemo.core.errors import TrainingError
from finding_nemo.training.loop.checkpoints import (
    EpochPosition,
    MidEpoch,
    Resumed,
    load_checkpoint,
    save_checkpoint,
)
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.epoch_log import EpochRow
from finding_nemo.training.loop.random_state import random_state, set_random_state
from finding_nemo.training.optimization.ema import ExponentialMovingAverage

# What a power cut costs at most. A checkpoint of `nemo` (Lite2, Adam, averaged weights) is 79 MB,
# and takes 0.15 s of a core and half a second with the disk: under half a hundredth of the time.
CHECKPOINT_EVERY_S = 120.0
# Validation may take minutes: before it even less is left at stake.
_SHARE_BEFORE_VALIDATION = 1 / 12


class CheckpointKeeper:
    """What keeps the state of one training in time, and goes on from what was kept."""

    def __init__(
        self,
        folder: Path,
        network: nn.Module,
        optimizer: optim.Optimizer,
        ema: ExponentialMovingAverage,
        group: ProcessGroup,
        *,
        every_s: float,
    ) -> None:
        """Write nothing yet.

        Args:
            folder: Where checkpoints are.
            network: What is trained, on its device.
            optimizer: What trains it.
            ema: The running average of its weights.
            group: Those that train together.
            every_s: Seconds between checkpoints within an epoch; 0 for every step.
        """
        self._folder = folder
        self._network, self._optimizer, self._average = network, optimizer, ema
        self._group, self._every_s = group, every_s
        self._kept_at = time.monotonic()

    def load(self, device: torch.device) -> Resumed:
        """Go on from the last checkpoint, if there is one.

        Raises:
            TrainingError: If it is damaged, of another network, or was written within an epoch by
                more or fewer processes or on another kind of device.
        """
        found = load_checkpoint(self._folder, self._network, self._optimizer, self._average)
        if found.mid_epoch:
            then = f"{len(found.mid_epoch.random)} process(es) on {found.mid_epoch.position.device}"
            now = f"{self._group.count} process(es) on {device.type}"
            if then != now:
                raise TrainingError(
                    f"The checkpoint in {self._folder} was written within an epoch by {then}; this "
                    f"training has {now}. Go on as it was begun, or start again with --overwrite."
                )
        return found

    def is_due(self, *, is_last: bool) -> bool:
        """Return whether it is time for a checkpoint after a step, the last of its epoch or not."""
        wait_s = self._every_s * (_SHARE_BEFORE_VALIDATION if is_last else 1)
        return time.monotonic() - self._kept_at >= wait_s

    def save_mid_epoch(
        self,
        history: tuple[EpochRow, ...],
        position: EpochPosition,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        """Keep the state between two steps; every process must come here at the same one.

        Raises:
            NoSpaceError: If the disk is full; the checkpoint before stays whole.
        """
        random = self._group.stack(random_state(generator, device))
        if self._group.is_main:
            save_checkpoint(
                self._folder,
                self._network,
                self._optimizer,
                self._average,
                history,
                mid_epoch=MidEpoch(position, random),
            )
        self.reset_clock()

    def reset_clock(self) -> None:
        """Count the time to the next checkpoint from now on."""
        self._kept_at = time.monotonic()

    def draw_on(
        self, mid_epoch: MidEpoch, generator: torch.Generator, device: torch.device
    ) -> None:
        """Draw next what this process would have drawn."""
        set_random_state(mid_epoch.random[self._group.rank], generator, device)
