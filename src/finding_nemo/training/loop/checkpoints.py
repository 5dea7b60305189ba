"""Checkpoints, within an epoch and after it: one safetensors file, renamed into place, no pickle.

Between epochs no random numbers are stored: those of an epoch follow from the seed and its number.
Within one the state of each generator is, so a training that goes on draws what it would have
drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn, optim

from finding_nemo.core.errors import OutputError, TrainingError
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.training.loop.epoch_log import EpochRow
from finding_nemo.training.optimization.ema import ExponentialMovingAverage

CHECKPOINTS = "checkpoints"
_LAST = "last.safetensors"
_BEST = "best.safetensors"
_METADATA = "story"
_RANDOM = "random"
# What safetensors leaves where it is killed while it writes.
_LEFT_OVER = ".tmp*"


@dataclass(frozen=True, slots=True)
class EpochPosition:
    """Where within an epoch a training stands: between two steps of the optimizer.

    Attributes:
        epoch: From 1.
        step: Steps of it that were taken.
        n_steps: Steps of it in all.
        loss_sum: Of those steps, over images.
        seconds: That they took.
        device: What computed them: "cpu", "cuda" or "mps".
    """

    epoch: int
    step: int
    n_steps: int
    loss_sum: float
    seconds: float
    device: str

    @property
    def is_before_last(self) -> bool:
        """Whether one step is left."""
        return self.step + 1 == self.n_steps

    def after(self, loss_sum: float, seconds: float) -> EpochPosition:
        """Return where the next step ends, which adds `loss_sum`, `seconds` after the beginning."""
        return replace(self, step=self.step + 1, loss_sum=self.loss_sum + loss_sum, seconds=seconds)

    @property
    def in_words(self) -> str:
        """Return it as it is printed."""
        return f"epoch {self.epoch}, step {self.step:,} of {self.n_steps:,}"


@dataclass(frozen=True)
class MidEpoch:
    """A place, and the random numbers that come next.

    Attributes:
        position: Where.
        random: State of the random numbers, uint8 (processes, bytes).
    """

    position: EpochPosition
    random: torch.Tensor


@dataclass(frozen=True)
class Resumed:
    """Where an interrupted training stands.

    Attributes:
        history: One row for each epoch that ended.
        mid_epoch: Where in the epoch after those, if not at its beginning.
    """

    history: tuple[EpochRow, ...] = ()
    mid_epoch: MidEpoch | None = None


def save_best(folder: Path, network: nn.Module, epoch: int) -> None:
    """Write the weights as they are, as those of the best epoch so far.

    Raises:
        NoSpaceError: If the disk is full; the best before stays whole.
    """
    _save(folder / _BEST, _contiguous(network.state_dict()), {"epoch": epoch})


def save_checkpoint(
    folder: Path,
    network: nn.Module,
    optimizer: optim.Optimizer,
    ema: ExponentialMovingAverage,
    history: tuple[EpochRow, ...],
    *,
    mid_epoch: MidEpoch | None = None,
) -> None:
    """Write the state after an epoch, or within the one after those of `history`.

    Args:
        folder: Where.
        network: Its weights and buffers.
        optimizer: Its state.
        ema: The running average of the weights.
        history: Of the epochs that ended.
        mid_epoch: Where in the epoch after them.

    Raises:
        NoSpaceError: If the disk is full; the checkpoint before stays whole.
    """
    tensors, numbers = _flatten(optimizer.state_dict())
    tensors |= _prefixed("network.", _contiguous(network.state_dict()))
    tensors |= _prefixed("average.", _contiguous(ema.tensors))
    metadata = {"history": [asdict(row) for row in history], "optimizer": numbers}
    if mid_epoch:
        tensors[_RANDOM] = mid_epoch.random
        metadata["within"] = asdict(mid_epoch.position)
    _save(folder / _LAST, tensors, metadata)


def _prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    chosen = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): tensor for name, tensor in chosen.items()}


def _save(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    for left_over in path.parent.glob(_LEFT_OVER):
        left_over.unlink(missing_ok=True)
    with atomic_write(path) as partial:
        try:
            # One metadata key: safetensors does not keep the order of several.
            save_file(tensors, partial, metadata={_METADATA: json.dumps(metadata)})
        except SafetensorError as error:
            # It has a class of its own even for a full disk, which is told as any other.
            raise OutputError(f"Cannot write {path}: {error}.") from error


def _contiguous(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().contiguous().cpu().clone() for name, tensor in state.items()}


def _flatten(state: dict[str, Any]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors, numbers = {}, {}
    for index, values in state["state"].items():
        for name, value in values.items():
            key = f"optimizer.{index}.{name}"
            if isinstance(value, torch.Tensor):
                tensors[key] = value.detach().contiguous().cpu().clone()
            else:
                numbers[key] = value
    return tensors, {"values": numbers, "groups": state["param_groups"]}


def load_checkpoint(
    folder: Path, network: nn.Module, optimizer: optim.Optimizer, ema: ExponentialMovingAverage
) -> Resumed:
    """Put the last checkpoint, if there is one, into all three, and return where it stands.

    Raises:
        TrainingError: If it is damaged or of another network.
    """
    path = folder / _LAST
    if not path.is_file():
        return Resumed()
    tensors, metadata = _read(path)
    try:
        network.load_state_dict(_under("network.", tensors))
        ema.load(_under("average.", tensors))
        optimizer.load_state_dict(_unflatten(tensors, metadata["optimizer"]))
    except (RuntimeError, ValueError, KeyError) as error:
        raise TrainingError(f"The checkpoint {path} is of another network: {error}.") from None
    _lay_out_as_weights(optimizer)
    history = tuple(EpochRow(**row) for row in metadata["history"])
    position = _place(metadata)
    return Resumed(history, MidEpoch(position, tensors[_RANDOM]) if position else None)


def _lay_out_as_weights(optimizer: optim.Optimizer) -> None:
    """Give what was stored row by row the order in memory that it had, so sums round alike."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _place(metadata: dict[str, Any]) -> EpochPosition | None:
    return EpochPosition(**metadata["within"]) if "within" in metadata else None


def has_checkpoint(folder: Path) -> bool:
    """Return whether there is a checkpoint to go on from, whole or not."""
    return (folder / _LAST).is_file()


def stopped_at(folder: Path) -> str | None:
    """Return in words where the last checkpoint stands; `None` if there is none.

    Raises:
        TrainingError: If it is damaged.
    """
    path = folder / _LAST
    if not path.is_file():
        return None
    metadata = _metadata_of(path)
    position = _place(metadata)
    return position.in_words if position else f"the end of epoch {len(metadata['history'])}"


def _unflatten(tensors: dict[str, torch.Tensor], numbers: dict[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in (tensors | numbers["values"]).items():
        kind, index, name = key.split(".", 2) if key.startswith("optimizer.") else ("", "", "")
        if kind:
            state.setdefault(int(index), {})[name] = value
    return {"state": state, "param_groups": numbers["groups"]}


def load_best(folder: Path, network: nn.Module) -> int:
    """Put the best epoch's weights into `network` and return that epoch.

    Raises:
        TrainingError: If there is no such file or it is damaged.
    """
    tensors, metadata = _read(folder / _BEST)
    network.load_state_dict(tensors)
    return int(metadata["epoch"])


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    with _told_damage(path), safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()[_METADATA])
        return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118


def _metadata_of(path: Path) -> dict[str, Any]:
    with _told_damage(path), safe_open(path, framework="pt") as file:
        metadata: dict[str, Any] = json.loads(file.metadata()[_METADATA])
    return metadata


@contextmanager
def _told_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise TrainingError(
            f"The checkpoint {path} cannot be read: {error}. Start again with --overwrite."
        ) from None
