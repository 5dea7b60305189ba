"""What every part of one training is told: where it runs, with whom, and who listens."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from finding_nemo.core.choice import Choice
from finding_nemo.core.provenance import now_utc
from finding_nemo.core.reporter import Reporter
from finding_nemo.training.loop.callbacks import CallbackList
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.keeping import CHECKPOINT_EVERY_S
from finding_nemo.training.recipes.registry import Recipe

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One training run.

    Attributes:
        folder: The run folder.
        recipe: What was asked for.
        seed: Decides order, initial weights, dropout.
        group: The processes that train together; by default this one alone.
        reporter: Told what happens.
        started: When, as ISO 8601 in UTC.
        checkpoint_every_s: Seconds between checkpoints within an epoch; 0 for every step.
        callbacks: Told by the main process of the beginning, each epoch and the end.
    """

    folder: Path
    recipe: Recipe
    seed: int = 0
    group: ProcessGroup = field(default_factory=ProcessGroup)
    reporter: Reporter = field(default_factory=Reporter)
    started: str = field(default_factory=now_utc)
    checkpoint_every_s: float = CHECKPOINT_EVERY_S
    callbacks: CallbackList = field(default_factory=CallbackList)

    def announce(self, name: str, choice: Choice[T]) -> T:
        """Tell an automatic choice with its reason, and return its value."""
        return self.reporter.announce(name, choice)
