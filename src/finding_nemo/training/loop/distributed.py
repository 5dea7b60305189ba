"""Processes that train one network together: a GPU each, on one machine or on several.

Every process sees its share of each batch, and gradients are averaged over all of them, so that
a training takes the same steps as one process would with the same settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import SettingsError, TrainingError
from finding_nemo.core.extras import install_hint

Strategy = Literal["ddp"]

# One process decodes the images and writes the bundle while the others wait: hours for an archive.
_PATIENCE = timedelta(hours=12)
# Batch normalisation needs two images in every process.
_LEAST_SHARE = 2


class ProcessGroup:
    """This process among those that train together; by default it is alone."""

    def __init__(self, devices: int = 1, *, nodes: int = 1, strategy: Strategy = "ddp") -> None:
        """Wish for processes; nothing is started yet.

        Args:
            devices: Processes on each machine, a GPU each where there are GPUs.
            nodes: Machines. The command is given on each, or by `torchrun` or SLURM.
            strategy: How they train: "ddp", every process with the whole network.

        Raises:
            SettingsError: If a number is below 1.
        """
        if devices < 1 or nodes < 1:
            raise SettingsError(f"devices and nodes are 1 or more; got {devices} and {nodes}.")
        self.count = devices * nodes
        self._devices, self._nodes, self._strategy = devices, nodes, strategy
        self._fabric: Any = None

    @property
    def rank(self) -> int:
        """Which of the processes this is, from 0."""
        if self.count == 1:
            return 0
        return int(self._fabric.global_rank) if self._fabric else _rank_by(os.environ)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    @property
    def in_words(self) -> str:
        """How a batch is shared, to be said after its size; nothing where it is not."""
        return "" if self.count == 1 else f", shared by {self.count} processes"

    def start(self, kind: str) -> torch.device:
        """Start the other processes, if any, and return this one's device of kind "cpu" or "cuda".

        Raises:
            SettingsError: If lightning-fabric is not installed, or there are not enough GPUs.
        """
        if self.count == 1:
            return torch.device(kind)
        if kind == "cuda" and torch.cuda.device_count() < self._devices:
            raise SettingsError(
                f"devices = {self._devices}, but this machine has {torch.cuda.device_count()} GPUs."
            )
        if self._fabric is None:
            self._fabric = _fabric(kind, self._devices, self._nodes, self._strategy)
            self._fabric.launch()
        device: torch.device = self._fabric.device
        return device

    @property
    def least_batch(self) -> int:
        """The fewest images that every process can learn from."""
        return _LEAST_SHARE * self.count

    def check_batch(self, batch_size: int, n_images: int) -> None:
        """Check that every process gets images.

        Raises:
            SettingsError: If a batch is too small to be shared.
            TrainingError: If there are too few images.
        """
        least = self.least_batch
        if self.count > 1 and batch_size < least:
            raise SettingsError(
                f"batch_size = {batch_size} is shared by {self.count} processes: "
                f"it must be {least} or more."
            )
        if self.count > 1 and n_images < least:
            raise TrainingError(f"{n_images} images are too few for {self.count} processes.")

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network as it is to be called in training: gradients are averaged."""
        if self._fabric is None:
            return network
        joined: nn.Module = self._fabric.setup_module(network, move_to_device=False)
        return joined

    @contextmanager
    def no_sync(self, joined: nn.Module, *, enabled: bool) -> Iterator[None]:
        """Let gradients gather in each process, if `enabled`, instead of averaging them at once."""
        if self._fabric is None:
            yield
        else:
            with self._fabric.no_backward_sync(joined, enabled=enabled):
                yield

    def share(self, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return this process's part of a batch."""
        return chosen[self.rank :: self.count]

    def total(self, value: float) -> float:
        """Return the sum of a number over all processes."""
        if self._fabric is None:
            return value
        return self.totals(value)[0]

    def totals(self, *values: float) -> list[float]:
        """Return the sum of each number over all processes, for the price of one."""
        if self._fabric is None:
            return [float(value) for value in values]
        mine = torch.tensor(values, dtype=torch.float64, device=self._fabric.device)
        summed: list[float] = self._fabric.all_reduce(mine, reduce_op="sum").tolist()
        return summed

    def stack(self, mine: torch.Tensor) -> torch.Tensor:
        """Return the tensors of all processes, of one shape, as rows in the order of ranks."""
        if self._fabric is None:
            return mine[None]
        rows: torch.Tensor = self._fabric.all_gather(mine.to(self._fabric.device))
        return rows.cpu()

    def all_gather(
        self, compute: Callable[[npt.NDArray[np.int64]], Float32s], n_rows: int
    ) -> Float32s:
        """Return `compute(rows)` of all rows, each process having computed its share."""
        rows = np.arange(n_rows)
        if self._fabric is None or n_rows < self.count:
            return compute(rows)
        mine = self.share(rows)
        computed = torch.from_numpy(compute(mine))
        # Sums of zeros and one number are that number, and need no shares of one length.
        full = torch.zeros((n_rows, computed.shape[1]), dtype=computed.dtype)
        full[torch.from_numpy(mine)] = computed
        summed = self._fabric.all_reduce(full.to(self._fabric.device), reduce_op="sum")
        together: Float32s = summed.cpu().numpy()
        return together

    @torch.no_grad()
    def average_buffers(self, network: nn.Module) -> None:
        """Make running statistics the mean of what every process saw."""
        if self._fabric is not None:
            for buffer in network.buffers():
                if buffer.is_floating_point():
                    buffer.copy_(self._fabric.all_reduce(buffer, reduce_op="mean"))

    @contextmanager
    def one_after_another(self) -> Iterator[None]:
        """Let one process of each machine do what follows before the others."""
        if self._fabric is None:
            yield
        else:
            with self._fabric.rank_zero_first(local=True):
                yield

    def barrier(self) -> None:
        """Wait until every process is here."""
        if self._fabric is not None:
            self._fabric.barrier()


def _rank_by(environment: Mapping[str, str]) -> int:
    """Return the rank that a launcher gave this process, 0 where none did."""
    if "RANK" in environment:
        return int(environment["RANK"])
    if int(environment.get("SLURM_NTASKS", "1")) > 1:
        return int(environment.get("SLURM_PROCID", "0"))
    # Any number but 0 does for the processes that lightning-fabric starts.
    return int(environment.get("NODE_RANK", "0")) + int(environment.get("LOCAL_RANK", "0"))


def _fabric(kind: str, devices: int, nodes: int, strategy: Strategy) -> Any:  # noqa: ANN401 - an optional library
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
    except ImportError:
        raise SettingsError(
            "Training on several processes needs lightning-fabric. " + install_hint("cluster")
        ) from None
    chosen = {"ddp": DDPStrategy}[strategy](timeout=_PATIENCE)
    return Fabric(accelerator=kind, devices=devices, num_nodes=nodes, strategy=chosen)
