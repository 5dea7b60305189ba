"""Checkpoints after every epoch: one safetensors file each, renamed into place, no pickle.

Random numbers are not stored: those of an epoch follow from the seed and its number, so a
training that goes on draws what it would have drawn.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn, optim

from finding_nemo.core.errors import TrainingError
from finding_nemo.core.files import written_whole
from finding_nemo.learning.averaging import WeightAverage
from finding_nemo.training.history import EpochRow

_LAST = "last.safetensors"
_BEST = "best.safetensors"
_STORY = "story"


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where an interrupted training stands.

    Attributes:
        epoch: The last epoch that ended.
        history: One row for each that did.
    """

    epoch: int
    history: tuple[EpochRow, ...]


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
    average: WeightAverage,
    history: tuple[EpochRow, ...],
) -> None:
    """Write the state after an epoch.

    Raises:
        NoSpaceError: If the disk is full; the checkpoint before stays whole.
    """
    tensors, numbers = _flatten(optimizer.state_dict())
    tensors |= _prefixed("network.", _contiguous(network.state_dict()))
    tensors |= _prefixed("average.", _contiguous(average.tensors))
    story = {"history": [asdict(row) for row in history], "optimizer": numbers}
    _save(folder / _LAST, tensors, story)


def _prefixed(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    chosen = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): tensor for name, tensor in chosen.items()}


def _save(path: Path, tensors: dict[str, torch.Tensor], story: dict[str, Any]) -> None:
    with written_whole(path) as partial:
        # One metadata key: safetensors does not keep the order of several.
        save_file(tensors, partial, metadata={_STORY: json.dumps(story)})


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
    folder: Path, network: nn.Module, optimizer: optim.Optimizer, average: WeightAverage
) -> Resumed | None:
    """Put the last checkpoint into all three; `None` if there is none yet.

    Raises:
        TrainingError: If it is damaged or of another network.
    """
    path = folder / _LAST
    if not path.is_file():
        return None
    tensors, story = _read(path)
    try:
        network.load_state_dict(_under("network.", tensors))
        average.load(_under("average.", tensors))
        optimizer.load_state_dict(_unflatten(tensors, story["optimizer"]))
    except (RuntimeError, ValueError, KeyError) as error:
        raise TrainingError(f"The checkpoint {path} is of another network: {error}.") from None
    history = tuple(EpochRow(**row) for row in story["history"])
    return Resumed(history[-1].epoch, history)


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
    tensors, story = _read(folder / _BEST)
    network.load_state_dict(tensors)
    return int(story["epoch"])


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            story = json.loads(file.metadata()[_STORY])
            return {name: file.get_tensor(name) for name in file.keys()}, story  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise TrainingError(
            f"The checkpoint {path} cannot be read: {error}. Start again with --overwrite."
        ) from None
