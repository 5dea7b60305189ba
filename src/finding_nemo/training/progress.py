"""The progress bar of a training: loss, MAP@20, images/s, time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)


class EpochProgress:
    """One bar over all epochs, on stderr."""

    def __init__(self, n_epochs: int, *, shown: bool = True) -> None:
        """Prepare a bar; it draws nothing unless `shown`."""
        self._n_epochs = n_epochs
        self._images = 0
        self._epoch = 0
        self._score = ""
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            disable=not shown,
        )
        self._task = self._bar.add_task("training", total=None, numbers="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, epoch: int, n_images: int) -> None:
        """Begin an epoch."""
        self._epoch, self._images = epoch, n_images
        self._bar.update(
            self._task,
            description=f"epoch {epoch}/{self._n_epochs}",
            total=self._n_epochs * n_images,
            completed=(epoch - 1) * n_images,
        )

    def step(self, n_images: int, loss: float) -> None:
        """Count a batch."""
        speed = self._bar.tasks[0].speed
        rate = f"  {speed:.0f} images/s" if speed else ""
        self._bar.update(
            self._task, advance=n_images, numbers=f"loss {loss:.4f}{self._score}{rate}"
        )

    def end(self, training_loss: float, map_at_20: float) -> None:
        """End an epoch with its scores."""
        self._score = f"  MAP@20 {map_at_20:.4f}"
        self._bar.update(
            self._task,
            completed=self._epoch * self._images,
            numbers=f"loss {training_loss:.4f}{self._score}",
        )


@contextmanager
def image_ticks(description: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a bar of images."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
        disable=not shown,
    )
    # Nothing is drawn where every image was computed before.
    task = bar.add_task(description, total=None, visible=False)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
