"""Progress of a training on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from finding_nemo.training.loop.checkpoints import EpochPosition

# Where there is no terminal, a line comes after so many seconds, so at least every half minute
# unless a single step takes longer.
_LINE_EVERY_S = 20.0


class Display:
    """What is shown: a bar that moves by itself on a terminal, and lines elsewhere."""

    def __init__(self, description: str, *, shown: bool, console: Console | None = None) -> None:
        """Prepare it; it shows nothing unless `shown`."""
        self.console = console or Console(stderr=True, highlight=False)
        is_drawn = self.console.is_terminal and not self.console.is_dumb_terminal
        self._has_lines = shown and not is_drawn
        self.bar = Progress(
            # Letters that an ASCII terminal has.
            SpinnerColumn("line"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[words]}", markup=False),
            TimeElapsedColumn(),
            console=self.console,
            disable=not (shown and is_drawn),
        )
        self._task = self.bar.add_task(description, total=None, words="")
        self._line_at = time.monotonic()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What nothing was counted in was a short wait, and leaves no trace.
        counted = self.bar.tasks[0].total is not None
        self.bar.update(self._task, visible=counted)
        self.bar.stop()

    def move(self, description: str, done: int, total: int, words: str, line: str) -> None:
        """Show `done` of `total`: on a terminal with `words`, elsewhere as `line` if it is time."""
        self.bar.update(
            self._task, description=description, completed=done, total=total, words=words
        )
        if time.monotonic() - self._line_at >= _LINE_EVERY_S:
            self.say(line)

    def say(self, line: str) -> None:
        """Print a line where there is no bar."""
        self._line_at = time.monotonic()
        if self._has_lines:
            self.console.print(line, markup=False, soft_wrap=True)


class EpochProgress(Display):
    """How far the epochs are: steps, images, loss, images/s and the time that is left."""

    def __init__(
        self, n_epochs: int, *, shown: bool = True, console: Console | None = None
    ) -> None:
        """Prepare it; it shows nothing unless `shown`."""
        super().__init__(f"epoch 1 of {n_epochs}", shown=shown, console=console)
        self.is_shown = shown
        self._n_epochs = n_epochs
        self._began_at: float | None = None
        self._seen_here = 0
        self._score = ""

    def start(self, position: EpochPosition, *, n_images: int, seen: int) -> None:
        """Begin an epoch, or go on within it.

        Args:
            position: Where.
            n_images: Of the epoch.
            seen: How many of them were seen before.
        """
        self._began_at = self._began_at or time.monotonic()
        self._position, self._n_images = position, n_images
        self._seen, self._step, self._losses, self._images_here = seen, position.step, 0.0, 0
        self._epoch_began_at = time.monotonic()
        self._move("")

    def step(self, n_images: int, loss: float) -> None:
        """Count a step of some images."""
        self._step += 1
        self._seen += n_images
        self._seen_here += n_images
        self._images_here += n_images
        self._losses += loss * n_images
        rate = self._images_here / max(time.monotonic() - self._epoch_began_at, 1e-9)
        self._move(
            f"{rate:.{0 if rate >= 10 else 1}f} images/s, "
            f"loss {self._losses / self._images_here:.4f}, {self._left()}"
        )

    def _move(self, numbers: str) -> None:
        steps = f"{self._step:,}/{self._position.n_steps:,}"
        images = f"{self._seen:,} of {self._n_images:,} images"
        self.move(
            self._name,
            self._step,
            self._position.n_steps,
            " ".join(filter(None, (steps, numbers, self._score))),
            f"{self._name}: " + ", ".join(filter(None, (images, numbers))),
        )

    @property
    def _name(self) -> str:
        return f"epoch {self._position.epoch} of {self._n_epochs}"

    def _left(self) -> str:
        """Return how long the training still takes if it goes on as it did here."""
        images = (self._n_epochs - self._position.epoch + 1) * self._n_images - self._seen
        elapsed_s = time.monotonic() - (self._began_at or 0.0)
        return f"{in_words(elapsed_s * images / max(self._seen_here, 1))} left"

    def judge(self, done: int, total: int) -> None:
        """Count validation images."""
        words = f"{done:,} of {total:,} validation images"
        self.move(self._name, done, total, words, f"{self._name}: {words}")

    def end(self, training_loss: float, map_at_20: float) -> None:
        """End an epoch with its scores."""
        self._score = f"MAP@20 {map_at_20:.4f}"
        self._move(f"loss {training_loss:.4f}")
        self.say(f"{self._name}: done, loss {training_loss:.4f}, {self._score}")


def in_words(seconds: float) -> str:
    """Return a time as people say it: 97 s, 12 min, 3 h 20 min."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def image_ticks(
    description: str, *, shown: bool, console: Console | None = None
) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a bar of images."""
    with Display(description, shown=shown, console=console) as display:
        began = (time.monotonic(), 0)
        last = 0

        def tick(done: int, total: int) -> None:
            nonlocal began, last
            if not last or done < last:
                began = (time.monotonic(), done)
            last = done
            words = f"{done:,} of {total:,} images"
            if done > began[1]:
                each_s = (time.monotonic() - began[0]) / (done - began[1])
                words += f", {in_words(each_s * (total - done))} left"
            display.move(description, done, total, words, f"{description}: {words}")

        yield tick
