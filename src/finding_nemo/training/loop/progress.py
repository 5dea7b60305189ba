"""What is told of the epochs of a training: steps, images, loss, images/s and the time left."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Self

from finding_nemo.core.reporter import Reporter, rate_in_words, time_in_words
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.training.loop.checkpoints import EpochPosition

_IN_WORDS = {
    "map_at_20_calibrated": "calibrated",
    "map_at_20_shown": "as shown",
    "train_map_at_20": "on training images",
}


class EpochProgress:
    """How far the epochs are, on a display of the reporter, and one line at the end of each."""

    def __init__(self, n_epochs: int, reporter: Reporter) -> None:
        """Prepare it."""
        self._n_epochs, self._reporter = n_epochs, reporter
        self.is_for_people = reporter.is_for_people
        self.display = reporter.display(f"epoch 1 of {n_epochs}")
        self._began_at: float | None = None
        self._seen_here = 0
        self._score = ""

    def __enter__(self) -> Self:
        self.display.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.display.__exit__(kind, error, trace)

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
        self._rate = ""
        self._update("")

    def step(self, n_images: int, loss: float) -> None:
        """Count a step of some images."""
        self._step += 1
        self._seen += n_images
        self._seen_here += n_images
        self._images_here += n_images
        self._losses += loss * n_images
        per_s = self._images_here / max(time.monotonic() - self._epoch_began_at, 1e-9)
        self._rate = f"{rate_in_words(per_s)} images/s"
        self._update(
            f"{self._rate}, loss {self._losses / self._images_here:.4f}, {self._left()} left"
        )

    def _update(self, numbers: str) -> None:
        steps = f"step {self._step:,} of {self._position.n_steps:,}"
        words = ", ".join(filter(None, (steps, numbers, self._score)))
        self.display.update(self._name, self._step, self._position.n_steps, words)

    @property
    def _name(self) -> str:
        return f"epoch {self._position.epoch} of {self._n_epochs}"

    def _left(self) -> str:
        """Return how long the training still takes if it goes on as it did here."""
        images = (self._n_epochs - self._position.epoch + 1) * self._n_images - self._seen
        elapsed_s = time.monotonic() - (self._began_at or 0.0)
        return time_in_words(elapsed_s * images / max(self._seen_here, 1))

    def validate(self, done: int, total: int, failures: int = 0) -> None:
        """Count validation images."""
        del failures
        self.display.update(self._name, done, total, f"{done:,} of {total:,} validation images")

    def judge_training_part(self, done: int, total: int, failures: int = 0) -> None:
        """Count the training images whose ranking is judged."""
        del failures
        self.display.update(self._name, done, total, f"{done:,} of {total:,} training images")

    def end(
        self,
        training_loss: float,
        map_at_20: float,
        *,
        others: RankingScores | None = None,
        train_map_at_20: float | None = None,
    ) -> None:
        """End an epoch with its loss and scores.

        Args:
            training_loss: Mean over the training images.
            map_at_20: Of the validation images by the network's own ranking.
            others: The same by other rankings, where they are known.
            train_map_at_20: Of training images by the network's own ranking.
        """
        self._score = f"MAP@20 {map_at_20:.4f}"
        self._update(f"loss {training_loss:.4f}")
        known = _known_scores(others, train_map_at_20)
        numbers = ", ".join(
            (
                f"loss {training_loss:.4f}, {self._score} by its own ranking",
                *(f"{score:.4f} {_IN_WORDS[name]}" for name, score in known.items()),
            )
        )
        left = "" if self._position.epoch == self._n_epochs else f"{self._left()} left"
        self.display.line(f"{self._name}: " + ", ".join(filter(None, (numbers, self._rate, left))))
        self._reporter.record(
            "epoch",
            epoch=self._position.epoch,
            n_epochs=self._n_epochs,
            training_loss=training_loss,
            map_at_20=map_at_20,
            **known,
        )


def _known_scores(others: RankingScores | None, train: float | None) -> dict[str, float]:
    """Return the scores that are known beside the network's own, by their names in the log."""
    found = others or RankingScores()
    scores = {
        "map_at_20_calibrated": found.calibrated,
        "map_at_20_shown": found.shown,
        "train_map_at_20": math.nan if train is None else train,
    }
    return {name: score for name, score in scores.items() if not math.isnan(score)}
