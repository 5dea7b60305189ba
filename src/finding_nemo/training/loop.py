"""The one training loop: pixels or features in, the best epoch's weights out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn, optim

from finding_nemo.core.errors import TrainingError
from finding_nemo.learning.losses import LOSSES
from finding_nemo.scoring.ranking import map_at_k
from finding_nemo.training.array_store import StoredRows
from finding_nemo.training.checkpoints import load_best, load_checkpoint, save_checkpoint
from finding_nemo.training.history import EpochRow, write_log
from finding_nemo.training.progress import EpochProgress
from finding_nemo.training.recipes import LoopSettings

Floats = npt.NDArray[np.float32]
Prepare = Callable[[npt.NDArray[np.generic], torch.Generator | None], torch.Tensor]

_WARM_UP_SHARE = 0.3
_START_DIVISOR = 25.0
_END_DIVISOR = 1e4


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


@dataclass(frozen=True)
class Loop:
    """A training that is set up.

    Attributes:
        network: What is trained, on its device.
        settings: Epochs, optimizer, loss.
        prepare: From stored rows to the network's input; with a generator it may augment.
        device: Where.
        autocast: Whether arithmetic is bfloat16.
        folder: The run folder: logs and checkpoints.
        seed: Decides the order of images and all that is drawn.
    """

    network: nn.Module
    settings: LoopSettings
    prepare: Prepare
    device: torch.device
    autocast: bool
    folder: Path
    seed: int

    def run(
        self, training: Examples, validation: Examples, progress: EpochProgress
    ) -> tuple[EpochRow, ...]:
        """Train, and leave the best epoch's weights in the network.

        A checkpoint in the run folder is gone on from. The best epoch is the one with the highest
        validation MAP@20, the earlier one of equals.

        Raises:
            TrainingError: If the loss is no longer a number, or a checkpoint is unusable.
            NoSpaceError: If the disk is full; the last checkpoint stays.
        """
        optimizer = _build_optimizer(self.network, self.settings)
        checkpoints = self.folder / "checkpoints"
        resumed = load_checkpoint(checkpoints, self.network, optimizer)
        history = resumed.history if resumed else ()
        for epoch in range(len(history) + 1, self.settings.epochs + 1):
            row = self._epoch(epoch, training, validation, optimizer, progress)
            is_best = all(row.map_at_20 > past.map_at_20 for past in history)
            history = (*history, row)
            save_checkpoint(checkpoints, self.network, optimizer, history, is_best=is_best)
            write_log(self.folder, history)
        load_best(checkpoints, self.network)
        return history

    def _epoch(
        self,
        epoch: int,
        training: Examples,
        validation: Examples,
        optimizer: optim.Optimizer,
        progress: EpochProgress,
    ) -> EpochRow:
        started = time.perf_counter()
        progress.start(epoch, len(training))
        training_loss = self._learn(epoch, training, optimizer, progress)
        learnt_s = time.perf_counter() - started
        outputs = self.outputs(validation.rows)
        if not np.isfinite(outputs).all():
            where = f"the validation images after epoch {epoch}"
            raise _diverged(f"The network gives NaN or infinity for {where}", optimizer)
        targets = torch.from_numpy(validation.truth)
        loss = LOSSES[self.settings.loss](torch.from_numpy(outputs), targets)
        score = map_at_k(validation.truth > 0, outputs) if len(validation) else float("nan")
        progress.end(training_loss, score)
        return EpochRow(
            epoch=epoch,
            training_loss=training_loss,
            validation_loss=float(loss),
            map_at_20=score,
            learning_rate=optimizer.param_groups[0]["lr"],
            seconds=round(time.perf_counter() - started, 3),
            images_per_s=round(len(training) / max(learnt_s, 1e-9), 1),
        )

    def _learn(
        self,
        epoch: int,
        training: Examples,
        optimizer: optim.Optimizer,
        progress: EpochProgress,
    ) -> float:
        self.network.train()
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, epoch))
        # Dropout draws from the global generator.
        torch.manual_seed(_epoch_seed(self.seed, epoch))
        order = torch.randperm(len(training), generator=generator).numpy()
        n_steps = math.ceil(len(training) / self.settings.batch_size)
        total = 0.0
        for step, chosen in enumerate(_batches(order, self.settings.batch_size)):
            if len(chosen) == 1 and n_steps > 1:
                # Batch normalisation cannot learn from one image.
                continue
            _set_learning_rate(optimizer, self.settings, (epoch - 1) * n_steps + step, n_steps)
            loss = self._step(training, chosen, optimizer, generator)
            if not math.isfinite(loss):
                where = f"in epoch {epoch}, batch {step + 1} of {n_steps}"
                raise _diverged(f"The loss is {loss} {where}", optimizer)
            total += loss * len(chosen)
            progress.step(len(chosen), loss)
        return total / len(training)

    def _step(
        self,
        training: Examples,
        chosen: npt.NDArray[np.int64],
        optimizer: optim.Optimizer,
        generator: torch.Generator,
    ) -> float:
        inputs = self.prepare(training.rows.take(chosen), generator).to(self.device)
        truth = torch.from_numpy(training.truth[chosen]).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            outputs = self.network(inputs)
        loss = LOSSES[self.settings.loss](outputs.float(), truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.detach())

    @torch.inference_mode()
    def outputs(self, rows: StoredRows) -> Floats:
        """Return the network's outputs in evaluation mode, float32 (images, categories)."""
        self.network.eval()
        out = []
        for chosen in _batches(np.arange(len(rows)), self.settings.batch_size):
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


def _build_optimizer(network: nn.Module, settings: LoopSettings) -> optim.Optimizer:
    parameters = [p for p in network.parameters() if p.requires_grad]
    rate = settings.learning_rate
    if settings.optimizer == "sgd":
        return optim.SGD(parameters, lr=rate, weight_decay=settings.weight_decay)
    if settings.optimizer == "adam":
        return optim.Adam(parameters, lr=rate, weight_decay=settings.weight_decay)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return optim.AdamW([group for group in groups if group["params"]], lr=rate)


def _set_learning_rate(
    optimizer: optim.Optimizer, settings: LoopSettings, step: int, steps_an_epoch: int
) -> None:
    rate = settings.learning_rate * schedule_factor(
        settings.schedule, step, settings.epochs * steps_an_epoch
    )
    for group in optimizer.param_groups:
        group["lr"] = rate


def schedule_factor(schedule: str, step: int, n_steps: int) -> float:
    """Return what the learning rate is multiplied with at `step` of `n_steps`, in (0, 1].

    It depends on the step alone, so there is no state to store.

    Source:
        Smith and Topin, "Super-Convergence", 2018, arXiv:1708.07120, with half cosines.
    """
    if schedule == "constant":
        return 1.0
    peak = max(_WARM_UP_SHARE * n_steps, 1.0)
    low = 1 / _START_DIVISOR
    if step < peak:
        return _half_cosine(low, 1.0, step / peak)
    return _half_cosine(1.0, low / _END_DIVISOR, (step - peak) / max(n_steps - 1 - peak, 1.0))


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
