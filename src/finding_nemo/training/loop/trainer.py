"""The one training loop: pixels or features in, the best epoch's weights out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn, optim

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import TrainingError
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.reporter import ProgressCallback
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.training.augmentation.device_batches import to_device
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.examples import Examples, Prepare, TrainingExamples
from finding_nemo.training.examples.samplers import Order, shuffled_order
from finding_nemo.training.loop.callbacks import CallbackList
from finding_nemo.training.loop.checkpoints import (
    CHECKPOINTS,
    EpochPosition,
    MidEpoch,
    load_best,
    save_best,
    save_checkpoint,
)
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.epoch_log import EpochRow, write_log
from finding_nemo.training.loop.interrupt import stop_request
from finding_nemo.training.loop.keeping import CHECKPOINT_EVERY_S, CheckpointKeeper
from finding_nemo.training.loop.progress import EpochProgress
from finding_nemo.training.optimization.ema import ExponentialMovingAverage
from finding_nemo.training.optimization.grad_accumulation import split_micro_batches
from finding_nemo.training.optimization.losses import Loss
from finding_nemo.training.optimization.optimizers import build_optimizer, set_learning_rate
from finding_nemo.training.recipes.settings import TrainerSettings

# Batches are made one ahead of the step that needs them.
_AHEAD = 2
_RANK_SEED = 7_919


@dataclass(frozen=True)
class _Work:
    """What one call of `Trainer.run` works with."""

    wrapped: nn.Module
    optimizer: optim.Optimizer
    ema: ExponentialMovingAverage
    keeper: CheckpointKeeper
    progress: EpochProgress


@dataclass(frozen=True)
class Trainer:
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
        group: Those that train together, started; by default this one alone.
        micro_batch_size: Images of a step that this process computes together; 0 for all.
        training_sample: Training images as validation images are prepared, whose ranking is judged
            after each epoch; none by default.
        judge_rankings: From outputs for the validation images to MAP@20 by each ranking.
        checkpoint_every_s: Seconds between checkpoints within an epoch; 0 for every step.
        order: Which images an epoch shows, and in which order.
        callbacks: Told of each epoch when its checkpoint is safe, by the main process.
    """

    network: nn.Module
    settings: TrainerSettings
    prepare: Prepare
    loss: Loss
    device: torch.device
    autocast: bool
    folder: Path
    seed: int
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    group: ProcessGroup = field(default_factory=ProcessGroup)
    micro_batch_size: int = 0
    training_sample: Examples | None = None
    judge_rankings: Callable[[Float32s], RankingScores] | None = None
    checkpoint_every_s: float = CHECKPOINT_EVERY_S
    order: Order = shuffled_order
    callbacks: CallbackList = field(default_factory=CallbackList)

    def run(
        self, training: TrainingExamples, validation: Examples, progress: EpochProgress
    ) -> tuple[EpochRow, ...]:
        """Train, and leave the best epoch's weights in the network.

        A checkpoint in the run folder is gone on from. The best epoch is the one with the highest
        validation MAP@20, the earlier one of equals. Processes that train together end with the
        same weights and return the same history.

        Raises:
            TrainingError: If the loss is no longer a number, a checkpoint is unusable, there are
                too few images for the processes, or a callback fails.
            SettingsError: If a batch is too small for them.
            NoSpaceError: If the disk is full; the last checkpoint stays.
            KeyboardInterrupt: By Ctrl-C; the last step that was taken is kept.
        """
        self.group.check_batch(self.settings.batch_size, len(training))
        work = self._work(progress)
        begun = work.keeper.load(self.device)
        history, mid_epoch = begun.history, begun.mid_epoch
        for epoch in range(len(history) + 1, self.settings.epochs + 1):
            position = self._train_epoch(epoch, training, work, history, mid_epoch)
            row = self._end_epoch(position, len(training), validation, work, history)
            history, mid_epoch = (*history, row), None
            if self.group.is_main:
                save_checkpoint(self._checkpoints, self.network, work.optimizer, work.ema, history)
                write_log(self.folder, history)
                self.callbacks.epoch_end(row)
            work.keeper.reset_clock()
        self.group.barrier()
        load_best(self._checkpoints, self.network)
        return history

    @property
    def _checkpoints(self) -> Path:
        return self.folder / CHECKPOINTS

    def _work(self, progress: EpochProgress) -> _Work:
        optimizer = build_optimizer(self.network, self.settings, self.rate_factors)
        ema = ExponentialMovingAverage(self.network, decay=self.settings.ema_decay)
        keeper = CheckpointKeeper(
            self._checkpoints,
            self.network,
            optimizer,
            ema,
            self.group,
            every_s=self.checkpoint_every_s,
        )
        # Validation and the export see the network itself, whose weights a compiled one shares.
        called: Any = torch.compile(self.network) if self.settings.compile else self.network
        return _Work(self.group.wrap(called), optimizer, ema, keeper, progress)

    def _end_epoch(
        self,
        position: EpochPosition,
        n_images: int,
        validation: Examples,
        work: _Work,
        history: tuple[EpochRow, ...],
    ) -> EpochRow:
        """Judge an epoch whose steps are taken, and keep its weights if they are the best."""
        started = time.perf_counter()
        with work.ema.applied():
            loss, scores = self._validate(position.epoch, validation, work)
            train_score = self._judge_training_part(position.epoch, work)
            score = scores.own
            is_best = all(score > past.map_at_20 for past in history)
            if is_best and self.group.is_main:
                save_best(self._checkpoints, self.network, position.epoch)
        training_loss = position.loss_sum / n_images
        work.progress.end(training_loss, score, others=scores, train_map_at_20=train_score)
        return EpochRow(
            epoch=position.epoch,
            training_loss=training_loss,
            validation_loss=loss,
            map_at_20=score,
            learning_rate=work.optimizer.param_groups[-1]["lr"],
            seconds=round(position.seconds + time.perf_counter() - started, 3),
            images_per_s=round(n_images / max(position.seconds, 1e-9), 1),
            train_map_at_20=train_score,
            map_at_20_calibrated=_or_none(scores.calibrated),
            map_at_20_shown=_or_none(scores.shown),
        )

    def _judge_training_part(self, epoch: int, work: _Work) -> float | None:
        """Return MAP@20 of the training images that are judged, `None` where there are none."""
        sample = self.training_sample
        if sample is None or not sample.truth.any():
            return None
        outputs = self._gathered(sample.rows, work.progress.judge_training_part)
        _check_finite(outputs, f"the training images after epoch {epoch}", work.optimizer)
        return map_at_k(sample.truth > 0, outputs, empty="skip")

    def _gathered(self, rows: CachedRows, progress: ProgressCallback) -> Float32s:
        """Return the outputs for all rows, of which each process computes some."""
        return self.group.all_gather(lambda some: self.outputs(rows, some, progress), len(rows))

    def _validate(
        self, epoch: int, validation: Examples, work: _Work
    ) -> tuple[float, RankingScores]:
        outputs = self._gathered(validation.rows, work.progress.validate)
        _check_finite(outputs, f"the validation images after epoch {epoch}", work.optimizer)
        targets = torch.from_numpy(validation.truth)
        loss = self.loss(torch.from_numpy(outputs), targets)
        score = map_at_k(validation.truth > 0, outputs) if len(validation) else float("nan")
        scored = self.judge_rankings(outputs) if self.judge_rankings else RankingScores()
        return float(loss), replace(scored, own=score)

    def _train_epoch(
        self,
        epoch: int,
        training: TrainingExamples,
        work: _Work,
        history: tuple[EpochRow, ...],
        mid_epoch: MidEpoch | None,
    ) -> EpochPosition:
        """Take the steps of an epoch, or those after `mid_epoch`; return where its end is."""
        self.network.train()
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, epoch))
        # Dropout draws from the global generator, other numbers in each process.
        torch.manual_seed(_epoch_seed(self.seed, epoch) + _RANK_SEED * self.group.rank)
        batches = self._batches_of(self.order(len(training), generator))
        position = EpochPosition(epoch, 0, len(batches), 0.0, 0.0, self.device.type)
        if mid_epoch:
            position = mid_epoch.position
            work.keeper.draw_on(mid_epoch, generator, self.device)
        left = batches[position.step :]
        seen = sum(map(len, batches)) - sum(map(len, left))
        work.progress.start(position, n_images=len(training), seen=seen)
        made = prefetch_map(
            lambda chosen: (chosen, training.batch(self.group.share(chosen), epoch)),
            left,
            threads=1,
            ahead=_AHEAD,
        )
        return self._take_steps(position, made, len(training), work, history, generator)

    def _take_steps(
        self,
        position: EpochPosition,
        made: Iterator[tuple[npt.NDArray[np.int64], tuple[npt.NDArray[np.generic], Float32s]]],
        n_images: int,
        work: _Work,
        history: tuple[EpochRow, ...],
        generator: torch.Generator,
    ) -> EpochPosition:
        """Take the steps of the batches `made`, from `position` on; return where that ends."""
        n_steps = math.ceil(n_images / self.settings.batch_size)
        clock = time.perf_counter() - position.seconds
        with stop_request(answered=work.progress.is_for_people) as is_stop_requested:
            for chosen, (rows, targets) in made:
                step = (position.epoch - 1) * n_steps + position.step
                set_learning_rate(work.optimizer, self.settings, step, n_steps)
                mine = self._step(work, rows, targets, len(rows) / len(chosen), generator)
                is_due = self.group.is_main and work.keeper.is_due(is_last=position.is_before_last)
                loss, due, stopped = self.group.totals(mine, is_due, is_stop_requested())
                if not math.isfinite(loss):
                    where = f"in epoch {position.epoch}, batch {position.step + 1} of {n_steps}"
                    raise _diverged(f"The loss is {loss} {where}", work.optimizer)
                work.ema.update(step + 1)
                if position.is_before_last:
                    self.group.average_buffers(self.network)
                position = position.after(loss * len(chosen), time.perf_counter() - clock)
                if due or stopped:
                    work.keeper.save_mid_epoch(history, position, generator, self.device)
                if stopped:
                    raise KeyboardInterrupt
                work.progress.step(len(chosen), loss)
        return position

    def _batches_of(self, order: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        batches = list(_batches(order, self.settings.batch_size))
        # Batch normalisation cannot learn from one image.
        return [
            chosen
            for chosen in batches
            if len(chosen) >= self.group.least_batch or len(batches) == 1
        ]

    def _step(
        self,
        work: _Work,
        rows: npt.NDArray[np.generic],
        targets: Float32s,
        share: float,
        generator: torch.Generator,
    ) -> float:
        """Take a step on this process's `share` of a batch; return its part of the loss."""
        work.optimizer.zero_grad(set_to_none=True)
        parts: list[tuple[torch.Tensor, float]] = []
        micro_batches = split_micro_batches(len(rows), self.micro_batch_size)
        for number, micro_batch in enumerate(micro_batches, start=1):
            inputs = to_device(self.prepare(rows[micro_batch], generator), self.device)
            weight = share * len(inputs) / len(rows)
            with self.group.no_sync(work.wrapped, enabled=number < len(micro_batches)):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
                    outputs = work.wrapped(inputs)
                wanted = to_device(torch.from_numpy(targets[micro_batch]), self.device)
                loss = self.loss(outputs.float(), wanted)
                # Processes average their gradients as if their shares were equal; the last is not.
                (loss * (weight * self.group.count)).backward()  # type: ignore[no-untyped-call]
            parts.append((loss.detach(), weight))
        work.optimizer.step()
        # A loss is asked for when all is given to the device: to ask is to wait for it.
        return sum((float(loss) * weight for loss, weight in parts), start=0.0)

    @torch.inference_mode()
    def outputs(
        self, rows: CachedRows, some: npt.NDArray[np.int64], progress: ProgressCallback
    ) -> Float32s:
        """Return the network's outputs in evaluation mode, float32 (images, categories).

        Args:
            rows: What the network takes.
            some: Which rows.
            progress: Told how many of them are done, and of how many.
        """
        self.network.eval()
        out: list[Float32s] = []
        for chosen in _batches(some, self.settings.batch_size):
            inputs = to_device(self.prepare(rows.take(chosen), None), self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
                out.append(self.network(inputs).float().cpu().numpy())
            progress(min(len(out) * self.settings.batch_size, len(some)), len(some))
        return np.concatenate(out) if out else np.empty((0, 0), dtype=np.float32)


def _or_none(score: float) -> float | None:
    return None if math.isnan(score) else score


def _epoch_seed(seed: int, epoch: int) -> int:
    return seed * 1_000_003 + epoch


def _check_finite(outputs: Float32s, where: str, optimizer: optim.Optimizer) -> None:
    if not np.isfinite(outputs).all():
        raise _diverged(f"The network gives NaN or infinity for {where}", optimizer)


def _diverged(found: str, optimizer: optim.Optimizer) -> TrainingError:
    rate = optimizer.param_groups[0]["lr"]
    return TrainingError(
        f"{found}, at learning rate {rate:.2g}. Going on would end the same way. "
        f"Try again with a smaller one: --set learning_rate={rate / 10:.1g} "
        "--overwrite."
    )


def _batches(order: npt.NDArray[np.int64], batch_size: int) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
