"""What a person's program is told of a training, so that any logger takes three lines."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import ArgumentError, TrainingError
from finding_nemo.core.text.printable import one_line
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.training.loop.epoch_log import EpochRow
from finding_nemo.training.loop.trained_run import TrainedRun


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingStart(ShortRepr):
    """What is known when the first step is about to be taken.

    Attributes:
        folder: The run folder.
        recipe: The recipe's name.
        settings: As used, also those that were chosen automatically.
        seed: Of the training.
        n_train: Training images.
        n_val: Validation images.

    Example:
        >>> class Tell(finding_nemo.Callback):  # doctest: +SKIP
        ...     def on_train_begin(self, start):
        ...         print(start.recipe, start.settings)
    """

    folder: Path
    recipe: str
    settings: Mapping[str, Any]
    seed: int
    n_train: int
    n_val: int

    def facts(self) -> Mapping[str, object]:
        """Return what is trained, and on how much."""
        return {
            "folder": self.folder,
            "recipe": self.recipe,
            "seed": self.seed,
            "training_images": self.n_train,
            "validation_images": self.n_val,
        }


class Callback:
    """Told of a training by `train(..., callbacks=[...])`; every method may be left out.

    Only the main process of a training calls, and every call comes when what it tells of is safe
    on disk. A training that goes on with `resume=True` begins with `on_train_begin` again and tells
    of the epochs that are left; one that had ended is not told of. A callback that raises ends the
    training with a `TrainingError` that says what is kept and how to go on.

    Example:
        >>> from torch.utils.tensorboard import SummaryWriter  # doctest: +SKIP
        >>> class TensorBoard(finding_nemo.Callback):  # doctest: +SKIP
        ...     def on_epoch_end(self, row):
        ...         with SummaryWriter("logs") as writer:
        ...             writer.add_scalar("MAP@20", row.map_at_20, row.epoch)
        >>> finding_nemo.train(dataset, out="run", callbacks=[TensorBoard()])  # doctest: +SKIP
    """

    def on_train_begin(self, start: TrainingStart) -> None:
        """Take what is known before the first step."""

    def on_epoch_end(self, row: EpochRow) -> None:
        """Take the figures of an epoch, whose checkpoint is written."""

    def on_train_end(self, run: TrainedRun) -> None:
        """Take what the training left, its bundle included."""


# A function is told of each epoch.
AnyCallback = Callback | Callable[[EpochRow], object]


class CallbackList:
    """The callbacks of one training, in order."""

    def __init__(self, callbacks: Sequence[AnyCallback] = ()) -> None:
        """Check them.

        Raises:
            ArgumentError: If one can be told nothing.
        """
        for callback in callbacks:
            is_class = inspect.isclass(callback)
            if is_class or not (isinstance(callback, Callback) or callable(callback)):
                got = f"the class {_name(callback)}" if is_class else type(callback).__name__
                raise ArgumentError(
                    "train(callbacks=...) takes objects of classes made from Callback, or "
                    f"functions that take the row of an epoch; got {got}."
                )
        self._callbacks = tuple(callbacks)

    def train_begin(self, start: TrainingStart) -> None:
        """Tell of the beginning.

        Raises:
            TrainingError: If a callback fails.
        """
        for callback in self._callbacks:
            if isinstance(callback, Callback):
                kept = "No step was taken yet."
                _call(callback, callback.on_train_begin, start, kept)

    def epoch_end(self, row: EpochRow) -> None:
        """Tell of an epoch.

        Raises:
            TrainingError: If a callback fails.
        """
        kept = (
            f"The training is kept as it was at the end of epoch {row.epoch}: the same call with "
            "resume=True goes on from there."
        )
        for callback in self._callbacks:
            function = callback.on_epoch_end if isinstance(callback, Callback) else callback
            _call(callback, function, row, kept)

    def train_end(self, run: TrainedRun) -> None:
        """Tell of the end.

        Raises:
            TrainingError: If a callback fails.
        """
        for callback in self._callbacks:
            if isinstance(callback, Callback):
                kept = f"The training has ended; its bundle is in {run.bundle.path}."
                _call(callback, callback.on_train_end, run, kept)


def _call(
    callback: AnyCallback, function: Callable[[Any], object], argument: object, kept: str
) -> None:
    try:
        function(argument)
    except Exception as error:
        raise TrainingError(f"{_failed(callback, error)} {kept}") from error


def _failed(callback: AnyCallback, error: Exception) -> str:
    name = _name(callback)
    words = one_line(error, longest=300) or "no words"
    return f"The callback {name} raised {type(error).__name__}: {words}."


def _name(callback: object) -> str:
    return str(getattr(callback, "__qualname__", type(callback).__name__))
