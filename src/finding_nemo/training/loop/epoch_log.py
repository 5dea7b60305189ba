"""What happened in each epoch, as log.csv and log.jsonl."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from finding_nemo.core.files.atomic_files import write_text

LOG_CSV = "log.csv"
LOG_JSONL = "log.jsonl"


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch.

    Attributes:
        epoch: From 1.
        training_loss: Mean over the training images.
        validation_loss: Mean over the validation images.
        map_at_20: Of the validation images, by the network's own ranking.
        learning_rate: Of the last step.
        seconds: Of training and validation.
        images_per_s: Training images over the seconds of training.
        train_map_at_20: Of a sample of the training images as validation images are prepared, by
            the network's own ranking; `None` in a log of an earlier version.
        map_at_20_calibrated: Of the validation images, by probabilities calibrated on them;
            `None` where it is not known.
        map_at_20_shown: The same, by the ranking that predictions would show.

    Example:
        >>> row = run.history[0]  # doctest: +SKIP
        >>> mlflow.log_metrics(row.figures(), step=row.epoch)  # doctest: +SKIP
    """

    epoch: int
    training_loss: float
    validation_loss: float
    map_at_20: float
    learning_rate: float
    seconds: float
    images_per_s: float
    train_map_at_20: float | None = None
    map_at_20_calibrated: float | None = None
    map_at_20_shown: float | None = None

    def figures(self) -> dict[str, float]:
        """Return all that is known but the epoch's number by name, as loggers take them."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name != "epoch" and value is not None
        }


def write_log(folder: Path, history: Sequence[EpochRow]) -> None:
    """Write both forms of the log, whole."""
    rows = [asdict(row) for row in history]
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(EpochRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / LOG_CSV, text.getvalue())
    write_text(folder / LOG_JSONL, "".join(json.dumps(row) + "\n" for row in rows))


def read_log(folder: Path) -> tuple[EpochRow, ...]:
    """Return what `write_log` wrote; nothing where there were no epochs."""
    path = folder / LOG_JSONL
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(EpochRow(**json.loads(line)) for line in lines)
