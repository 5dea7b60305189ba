"""What a training leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.training.loop.epoch_log import EpochRow


@dataclass(frozen=True, repr=False)
class TrainedRun(ShortRepr):
    """A training that has ended.

    Attributes:
        folder: The run folder: settings, split, logs, checkpoints.
        bundle: The trained model in it.
        history: One row an epoch; none for what has no epochs.
        bundle_hash: One hash for all that the bundle predicts with.
        is_main: Whether this process is the one, of those that trained together, that talks.

    Example:
        >>> run = finding_nemo.train(dataset, out="runs/probe")  # doctest: +SKIP
        >>> [row.map_at_20 for row in run.history]  # doctest: +SKIP
    """

    folder: Path
    bundle: Bundle
    history: tuple[EpochRow, ...]
    bundle_hash: str
    is_main: bool = True

    def facts(self) -> Mapping[str, object]:
        """Return where it is and what it came to."""
        best = max((row.map_at_20 for row in self.history), default=None)
        return {
            "folder": self.folder,
            "recipe": self.bundle.manifest.recipe,
            "epochs": len(self.history),
            "best_map_at_20": "not known" if best is None else f"{best:.4f}",
            "bundle_hash": self.bundle_hash,
        }
