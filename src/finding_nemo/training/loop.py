"""The one training loop: pixels or features in, the best epoch's weights out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn, optim

from finding_nemo.core.errors import TrainingError
from finding_nemo.data.ahead import mapped_ahead
from finding_nemo.learning.averaging import WeightAverage
from finding_nemo.learning.losses import Loss
from finding_nemo.scoring.ranking import map_at_k
from finding_nemo.training.array_store import StoredRows
from finding_nemo.training.checkpoints import (
    load_best,
    load_checkpoint,
    save_best,
    save_checkpoint,
)
from finding_nemo.training.history import EpochRow, write_log
from finding_nemo.training.optimizers import build_optimizer, set_learning_rate
from finding_nemo.training.processes import Processes
from finding_nemo.training.progress import EpochProgress
from finding_nemo.training.recipes import LoopSettings
from finding_nemo.training.turns import turns_of

Floats = npt.NDArray[np.float32]
Prepare = Callable[[npt.NDArray[np.generic], torch.Generator | None], torch.Tensor]

# Batches are made one ahead of the step that needs them.
_AHEAD = 2
_RANK_SEED = 7_919


class TrainingExamples(Protocol):
    """Images with their targets, perhaps other views of them each epoch."""

    def __len__(self) -> int:
        """Return the number of images."""

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], Floats]:
        """Return rows for `prepare` and float targets (images, n) of the images `chosen`."""


@dataclass(frozen=True)
class Examples:
    """Images with their truth.

    Attributes:
        rows: What the network takes, one row an image.
        truth: Float 0 or 1, shape (images, categories).
    """

    rows: StoredRows
    truth: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], Floats]:
        """Return rows and truth of some images, the same in every epoch."""
        del epoch
        return self.rows.take(chosen), self.truth[chosen]


@dataclass(frozen=True)
class Loop:
    """A training that is set up.

    Attributes:
        network: What is trained, on its device.
        settings: Epochs, optimizer, loss.
        prepare: From stored rows to the network's input; with a generator it may augment.
        loss: From outputs and targets to what is made small.
        device: Where.
        autocast: Whether arithmetic is bfloat16.
        folder: The run folder: logs and checkpoints.
        seed: Decides the order of images and all that is drawn.
        rate_factors: By parameter name, what its learning rate is multiplied with; 1 if missing.
        processes: Those that train together, started; by default this one alone.
        images_at_once: Images of a step that this process computes together; 0 for all.
    """

    network: nn.Module
    settings: LoopSettings
    prepare: Prepare
    loss: Loss
    device: torch.device
    autocast: bool
    folder: Path
    seed: int
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    processes: Processes = field(default_factory=Processes)
    images_at_once: int = 0

    def run(
        self, training: TrainingExamples, validation: Examples, progress: EpochProgress
    ) -> tuple[EpochRow, ...]:
        """Train, and leave the best epoch's weights in the network.

        A checkpoint in the run folder is gone on from. The best epoch is the one with the highest
        validation MAP@20, the earlier one of equals. Processes that train together end with the
        same weights and return the same history.

        Raises:
            TrainingError: If the loss is no longer a number, a checkpoint is unusable, or there
                are too few images for the processes.
            SettingsError: If a batch is too small for them.
            NoSpaceError: If the disk is full; the last checkpoint stays.
        """
        self.processes.check_batch(self.settings.batch_size, len(training))
        optimizer = build_optimizer(self.network, self.settings, self.rate_factors)
        average = WeightAverage(self.network, decay=self.settings.averaging)
        checkpoints = self.folder / "checkpoints"
        resumed = load_checkpoint(checkpoints, self.network, optimizer, average)
        history = resumed.history if resumed else ()
        connected = self.processes.connected(self.network)
        for epoch in range(len(history) + 1, self.settings.epochs + 1):
            started = time.perf_counter()
            learnt = self._learn(epoch, training, connected, optimizer, average, progress)
            self.processes.average_buffers(self.network)
            learnt_s = time.perf_counter() - started
            with average.applied():
                loss, score = self._judge(epoch, validation, optimizer)
                is_best = all(score > past.map_at_20 for past in history)
                if is_best and self.processes.leads:
                    save_best(checkpoints, self.network, epoch)
            progress.end(learnt, score)
            row = EpochRow(
                epoch=epoch,
                training_loss=learnt,
                validation_loss=loss,
                map_at_20=score,
                learning_rate=optimizer.param_groups[-1]["lr"],
                seconds=round(time.perf_counter() - started, 3),
                images_per_s=round(len(training) / max(learnt_s, 1e-9), 1),
            )
            history = (*history, row)
            if self.processes.leads:
                save_checkpoint(checkpoints, self.network, optimizer, average, history)
                write_log(self.folder, history)
        self.processes.wait()
        load_best(checkpoints, self.network)
        return history

    def _judge(
        self, epoch: int, validation: Examples, optimizer: optim.Optimizer
    ) -> tuple[float, float]:
        rows = validation.rows
        outputs = self.processes.gathered(lambda some: self.outputs(rows, some), len(rows))
        if not np.isfinite(outputs).all():
            where = f"the validation images after epoch {epoch}"
            raise _diverged(f"The network gives NaN or infinity for {where}", optimizer)
        targets = torch.from_numpy(validation.truth)
        loss = self.loss(torch.from_numpy(outputs), targets)
        score = map_at_k(validation.truth > 0, outputs) if len(validation) else float("nan")
        return float(loss), score

    def _learn(
        self,
        epoch: int,
        training: TrainingExamples,
        connected: nn.Module,
        optimizer: optim.Optimizer,
        average: WeightAverage,
        progress: EpochProgress,
    ) -> float:
        self.network.train()
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, epoch))
        # Dropout draws from the global generator, other numbers in each process.
        torch.manual_seed(_epoch_seed(self.seed, epoch) + _RANK_SEED * self.processes.rank)
        order = torch.randperm(len(training), generator=generator).numpy()
        n_steps = math.ceil(len(training) / self.settings.batch_size)
        # Batch normalisation cannot learn from one image.
        batches = [
            chosen
            for chosen in _batches(order, self.settings.batch_size)
            if len(chosen) >= self.processes.least_batch or n_steps == 1
        ]
        total = 0.0
        made = mapped_ahead(
            lambda chosen: training.batch(self.processes.share(chosen), epoch),
            batches, threads=1, ahead=_AHEAD,
        )  # fmt: skip
        for number, (chosen, (rows, targets)) in enumerate(zip(batches, made, strict=True)):
            step = (epoch - 1) * n_steps + number
            set_learning_rate(optimizer, self.settings, step, n_steps)
            share = len(rows) / len(chosen)
            loss = self._step(connected, rows, targets, share, optimizer, generator)
            if not math.isfinite(loss):
                where = f"in epoch {epoch}, batch {number + 1} of {n_steps}"
                raise _diverged(f"The loss is {loss} {where}", optimizer)
            average.update(step + 1)
            total += loss * len(chosen)
            progress.step(len(chosen), loss)
        return total / len(training)

    def _step(
        self,
        connected: nn.Module,
        rows: npt.NDArray[np.generic],
        targets: Floats,
        share: float,
        optimizer: optim.Optimizer,
        generator: torch.Generator,
    ) -> float:
        """Take a step on this process's `share` of a batch; return the loss of the whole batch."""
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        turns = turns_of(len(rows), self.images_at_once)
        for number, turn in enumerate(turns, start=1):
            inputs = self.prepare(rows[turn], generator).to(self.device)
            weight = share * len(inputs) / len(rows)
            with self.processes.gradients_apart(connected, apart=number < len(turns)):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
                    outputs = connected(inputs)
                wanted = torch.from_numpy(targets[turn]).to(self.device)
                loss = self.loss(outputs.float(), wanted)
                # Processes average their gradients as if their shares were equal; the last is not.
                (loss * (weight * self.processes.count)).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) * weight
        optimizer.step()
        return self.processes.total(total)

    @torch.inference_mode()
    def outputs(self, rows: StoredRows, some: npt.NDArray[np.int64] | None = None) -> Floats:
        """Return the network's outputs in evaluation mode, float32 (images, categories).

        Args:
            rows: What the network takes.
            some: Which rows; by default all.
        """
        self.network.eval()
        out = []
        wanted = np.arange(len(rows)) if some is None else some
        for chosen in _batches(wanted, self.settings.batch_size):
            inputs = self.prepare(rows.take(chosen), None).to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
                out.append(self.network(inputs).float().cpu().numpy())
        return np.concatenate(out) if out else np.empty((0, 0), dtype=np.float32)


def _epoch_seed(seed: int, epoch: int) -> int:
    return seed * 1_000_003 + epoch


def _diverged(found: str, optimizer: optim.Optimizer) -> TrainingError:
    rate = optimizer.param_groups[0]["lr"]
    return TrainingError(
        f"{found}, at learning rate {rate:.2g}. Nothing was saved of this epoch. "
        f"Try again with a smaller one: --set learning_rate={rate / 10:.1g}."
    )


def _batches(order: npt.NDArray[np.int64], batch_size: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
