"""What is told of a job while it runs: messages, progress and records, by one object.

A job takes one `Reporter` and nothing else that words could go through. The class here tells
nobody, or a function; on a terminal and in logs others of the same form are used
(`reporting.terminal`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self, TypeVar

from finding_nemo.core.choice import Choice

T = TypeVar("T")


class ProgressCallback(Protocol):
    """Told how far something is."""

    def __call__(self, done: int, total: int, failures: int = 0) -> None:
        """Take how many are done, of how many, and how many of them failed."""


def no_progress(done: int, total: int, failures: int = 0) -> None:
    """Tell nobody of the progress."""
    del done, total, failures


class Display:
    """One thing in progress, shown while the block lasts; this one shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the display."""

    def update(self, description: str, done: int, total: int, words: str) -> None:
        """Show how far it is.

        Args:
            description: What is in progress.
            done: How much of it is done.
            total: Of how much.
            words: The same for people, with rate and time left.
        """

    def line(self, words: str) -> None:
        """Print a line that stays, where no bar is drawn."""


class Reporter:
    """Tells of a job; this one tells a function its messages, or nobody anything.

    Example:
        >>> told = []
        >>> Reporter(told.append).announce("device", Choice("cpu", "no GPU"))
        'cpu'
        >>> told
        ['device cpu: no GPU.']
    """

    # Whether a person looks on, who may be answered at once on stderr.
    is_for_people = False

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        """Tell `tell` each message; nobody without it."""
        self._tell = tell
        self._began_at = time.monotonic()

    def message(self, words: str) -> None:
        """Tell what a person should know, one sentence or a few."""
        if self._tell is not None:
            self._tell(words)

    def warning(self, words: str) -> None:
        """Tell what a person must know before anything else, even one who wants few words."""
        self.message(f"WARNING: {words}")

    def detail(self, words: str) -> None:
        """Tell what only who looks into the program wants to know."""

    def announce(self, name: str, choice: Choice[T]) -> T:
        """Tell an automatic choice with its reason, and return its value."""
        self.message(f"{name} {choice.in_words}.")
        return choice.value

    def step(self, what: str) -> None:
        """Tell that a step of a longer job begins, and after how many seconds."""
        self.activity(what)
        self.message(f"[{time.monotonic() - self._began_at:5.1f} s] {what}")

    def activity(self, what: str) -> None:
        """Note what goes on from here, to be told if it lasts."""

    def at_rest(self) -> None:
        """Note that from here on the program waits for others, and silence means nothing."""

    def record(self, event: str, **values: float | str | None) -> None:
        """Give the figures of an event to whom reads logs by program."""

    def display(self, description: str) -> Display:
        """Return a display of one thing in progress."""
        del description
        return Display()

    @contextmanager
    def progress(self, description: str, *, unit: str = "images") -> Iterator[ProgressCallback]:
        """Yield a function (done, total, failures) that shows progress with rate and time left."""
        with self.display(description) as display:
            meter = _Meter(unit)

            def show(done: int, total: int, failures: int = 0) -> None:
                display.update(description, done, total, meter.words(done, total, failures))

            yield show


class _Meter:
    """Rate and time left of what is counted."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._began_at, self._began_with, self._last = 0.0, 0, -1

    def words(self, done: int, total: int, failures: int) -> str:
        """Return how far it is; counting that falls back begins anew."""
        now = time.monotonic()
        if done < self._last or self._last < 0:
            self._began_at, self._began_with = now, done
        self._last = done
        words = f"{done:,} of {total:,} {self._unit}"
        counted, elapsed_s = done - self._began_with, now - self._began_at
        if counted > 0 and elapsed_s > 0:
            left_s = elapsed_s * (total - done) / counted
            words += f", {rate_in_words(counted / elapsed_s)} {self._unit}/s"
            words += f", {time_in_words(left_s)} left" if done < total else ""
        return words + (f", {failures:,} failed" if failures else "")


def rate_in_words(per_s: float) -> str:
    """Return a rate as people say it: 0.31, 4.2, 57."""
    return f"{per_s:.{0 if per_s >= 10 else 1 if per_s >= 1 else 2}f}"


def time_in_words(seconds: float) -> str:
    """Return a time as people say it: 97 s, 12 min, 3 h 20 min."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
