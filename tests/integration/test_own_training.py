"""Trainings with parts of a person's own, told of as they go, stopped, and gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from finding_nemo import (
    Callback,
    EpochRow,
    TrainedRun,
    TrainingStart,
    register_augmentation,
    register_backbone,
    register_loss,
    register_recipe,
    register_sampler,
    train,
)
from finding_nemo.core.errors import StoppedError, TrainingError
from finding_nemo.core.records import Dataset, Split

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_parts")]

_OWN = {
    "loss": "own-loss",
    "backbone": "own-net",
    "augmentation": "own-noise",
    "sampler": "own-order",
}
_SMALL: dict[str, Any] = {"width_px": 32, "height_px": 32, "epochs": 2, "batch_size": 8}


class _Parts:
    """Registers one of each kind; the augmentation stops the training at its nth batch."""

    def __init__(self) -> None:
        self.stop_at = self.batches = 0
        register_loss("own-loss")(self._loss)
        register_backbone("own-net")(self._network)
        register_augmentation("own-noise")(self._noise)
        register_sampler("own-order")(self._order)
        register_recipe("own", base="resnet18", settings={**_OWN, **_SMALL})

    def _loss(self, outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return (outputs.sigmoid() - truth).square().sum(dim=1).mean()

    def _network(self) -> nn.Module:
        layers = (nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(*layers, nn.Dropout(0.3))

    def _noise(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        self.batches += 1
        if self.batches == self.stop_at:
            raise KeyboardInterrupt
        # From the generator of the epoch, and from torch's own numbers.
        images = images + torch.randint(9, (1,), generator=generator).to(torch.uint8)
        return images.flip(3) if torch.rand(1) < 0.5 else images

    def _order(self, truth: Any, dives: Sequence[str], generator: torch.Generator) -> torch.Tensor:
        rarity = torch.from_numpy(1.0 / (1 + truth.sum(axis=1)))
        return torch.multinomial(rarity, len(dives), True, generator=generator)


@pytest.fixture
def parts() -> _Parts:
    return _Parts()


class _Listener(Callback):
    def __init__(self) -> None:
        self.starts: list[TrainingStart] = []
        self.epochs: list[int] = []
        self.runs: list[TrainedRun] = []
        self.had_checkpoint: list[bool] = []

    def on_train_begin(self, start: TrainingStart) -> None:
        self.starts.append(start)

    def on_epoch_end(self, row: EpochRow) -> None:
        self.epochs.append(row.epoch)
        folder = self.starts[-1].folder
        log = (folder / "log.csv").read_text(encoding="utf-8").splitlines()
        kept = (folder / "checkpoints/last.safetensors").is_file()
        self.had_checkpoint.append(kept and len(log) == row.epoch + 1)

    def on_train_end(self, run: TrainedRun) -> None:
        self.runs.append(run)
        assert (run.bundle.path / "bundle.json").is_file()


def test_own_parts__are_recorded_by_name_and_a_stopped_training_goes_on_exactly(
    parts: _Parts, dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    listener, rows = _Listener(), list[EpochRow]()
    whole = train(
        dataset,
        out=tmp_path / "whole",
        recipe="own",
        split=split,
        callbacks=[listener, rows.append],
    )
    settings = whole.bundle.manifest.settings
    assert whole.bundle.manifest.recipe == "own"
    assert {key: settings[key] for key in _OWN} == _OWN
    assert "pretrained" not in settings  # nothing asked for it
    (start,) = listener.starts
    assert (start.recipe, start.settings["epochs"], start.n_train) == ("own", 2, 20)
    assert listener.epochs == [row.epoch for row in rows] == [1, 2]
    assert listener.had_checkpoint == [True, True]
    assert [run.bundle_hash for run in listener.runs] == [whole.bundle_hash]

    # Three batches an epoch: it stops before the second step of the second epoch.
    parts.batches, parts.stop_at = 0, 5
    named: dict[str, Any] = {"out": tmp_path / "part", "recipe": "own", "split": split}
    with pytest.raises(StoppedError, match="keeps the training as it was at epoch 2, step 1"):
        train(dataset, checkpoint_every_s=0, **named)
    again = _Listener()
    resumed = train(dataset, resume=True, callbacks=[again], **named)
    assert resumed.bundle_hash == whole.bundle_hash
    assert (again.epochs, len(again.starts), len(again.runs)) == ([2], 1, 1)
    # What has ended is not told of again.
    train(dataset, resume=True, callbacks=[again], **named)
    assert (again.epochs, len(again.starts), len(again.runs)) == ([2], 1, 1)


def test_callback_that_fails__ends_the_training_which_goes_on_exactly(
    parts: _Parts, dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    def no_server(row: EpochRow) -> None:
        raise OSError("no server")

    named: dict[str, Any] = {"out": tmp_path / "run", "recipe": "own", "split": split}
    with pytest.raises(TrainingError, match="no_server raised OSError: no server. The training is"):
        train(dataset, callbacks=[no_server], **named)
    assert len((tmp_path / "run/log.csv").read_text(encoding="utf-8").splitlines()) == 2
    resumed = train(dataset, resume=True, **named)
    whole = train(dataset, out=tmp_path / "whole", recipe="own", split=split)
    assert resumed.bundle_hash == whole.bundle_hash


def test_baseline__has_a_beginning_and_an_end(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    listener = _Listener()
    train(dataset, out=tmp_path / "run", recipe="prior", split=split, callbacks=[listener])
    assert (len(listener.starts), listener.epochs, len(listener.runs)) == (1, [], 1)


def test_tensorboard__takes_three_lines(
    parts: _Parts, dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    # Not typed where the library is not installed.
    reading: Any = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    writing: Any = pytest.importorskip("torch.utils.tensorboard")

    def to_tensorboard(row: EpochRow) -> None:
        for name, value in row.figures().items():
            writer.add_scalar(name, value, row.epoch)

    with writing.SummaryWriter(tmp_path / "logs") as writer:
        run = train(
            dataset, out=tmp_path / "run", recipe="own", split=split, callbacks=[to_tensorboard]
        )
    found = reading.EventAccumulator(str(tmp_path / "logs")).Reload()
    for name, value in run.history[1].figures().items():
        assert [event.step for event in found.Scalars(name)] == [1, 2]
        assert found.Scalars(name)[1].value == pytest.approx(value)
