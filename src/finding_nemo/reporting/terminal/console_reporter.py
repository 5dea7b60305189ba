"""What a person sees of a job on stderr: bars on a terminal, lines elsewhere, no long silence."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Literal, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from finding_nemo.core.reporter import Display, Reporter
from finding_nemo.reporting.terminal.tables import plain

Verbosity = Literal["quiet", "normal", "verbose"]

# Ten seconds without a word look like a program that hangs.
LINE_EVERY_S = 8.0


def error_console() -> Console:
    """Return a console that writes to stderr."""
    return Console(stderr=True, highlight=False)


def draws_bars(console: Console) -> bool:
    """Return whether a bar can be redrawn; in a notebook rich would warn of missing widgets."""
    return console.is_terminal and not console.is_dumb_terminal and not console.is_jupyter


class ConsoleReporter(Reporter):
    """Tells a person: every message as a line, every progress as a bar or as a line now and then.

    Used as a context it also says what goes on when nothing else was said for a while.

    Example:
        >>> reporter = finding_nemo.ConsoleReporter()  # doctest: +SKIP
        >>> finding_nemo.train(dataset, out="runs/probe", reporter=reporter)  # doctest: +SKIP
    """

    def __init__(
        self,
        verbosity: Verbosity = "normal",
        *,
        console: Console | None = None,
        every_s: float = LINE_EVERY_S,
    ) -> None:
        """Tell nothing yet.

        Args:
            verbosity: "quiet" tells nothing, "verbose" also what only developers want to know.
            console: Where to; stderr by default.
            every_s: After so many seconds of silence something is said; 0 for never.
        """
        super().__init__()
        self.console = console or error_console()
        self._verbosity = verbosity
        self._every_s = every_s
        self.is_for_people = verbosity != "quiet"
        self._what = self._printed_what = ""
        self._is_count = False  # whether what goes on is said with how far it is
        self._spoke_at = time.monotonic()
        self._n_bars = 0
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if self._every_s > 0 and self._verbosity != "quiet":
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def message(self, words: str) -> None:
        """Print a message."""
        if self._verbosity != "quiet":
            self._print(words)

    def warning(self, words: str) -> None:
        """Print a warning with space around it, whatever the verbosity."""
        for line in ("", f"WARNING: {words}", ""):
            self._print(line)

    def detail(self, words: str) -> None:
        """Print what only developers want to know, if that is wanted."""
        if self._verbosity == "verbose":
            self._print(words)

    def activity(self, what: str) -> None:
        """Note what goes on from here, to be told if it lasts."""
        self._what, self._is_count = what, False
        self._spoke_at = max(self._spoke_at, time.monotonic() - self._every_s / 2)

    def at_rest(self) -> None:
        """Say no more that something goes on."""
        self._over.set()

    def display(self, description: str) -> Display:
        """Return a bar, or lines where none can be drawn."""
        if self._verbosity == "quiet":
            return Display()
        self._what, self._is_count = description, False
        return _Bar(self, description) if draws_bars(self.console) else _Lines(self)

    def counted(self, line: str) -> None:
        """Note how far something is, and print it if nothing was said for a while."""
        self._what, self._is_count = line, True
        if self._every_s and self._is_silent():
            self._printed_what = line
            self._print(line)

    def _print(self, words: str) -> None:
        self._spoke_at = time.monotonic()
        self.console.print(plain(words), soft_wrap=True)

    def _is_silent(self) -> bool:
        return time.monotonic() - self._spoke_at >= self._every_s

    def _watch(self) -> None:
        while not self._over.wait(self._every_s / 8):
            if self._what and not self._n_bars and self._is_silent():
                is_news = self._what != self._printed_what
                self._printed_what = self._what
                self._print(self._what if is_news and self._is_count else f"still {self._what} ...")


def _cropped() -> Column:
    """Return a column without an ellipsis, which is no letter that an ASCII terminal has."""
    return Column(no_wrap=True, overflow="crop")


class _Bar(Display):
    """A bar that also moves by itself."""

    def __init__(self, reporter: ConsoleReporter, description: str) -> None:
        self._reporter = reporter
        self.bar = Progress(
            # Letters that an ASCII terminal has.
            SpinnerColumn("line"),
            TextColumn("{task.description}", markup=False, table_column=_cropped()),
            BarColumn(bar_width=14),
            TextColumn("{task.fields[words]}", markup=False, table_column=_cropped()),
            console=reporter.console,
        )
        self._task = self.bar.add_task(plain(description).plain, total=None, words="")

    def __enter__(self) -> Self:
        self._reporter._n_bars += 1
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
        self._reporter._n_bars -= 1
        self._reporter.activity("at work")

    def update(self, description: str, done: int, total: int, words: str) -> None:
        """Move the bar."""
        description = plain(description).plain
        self.bar.update(
            self._task, description=description, completed=done, total=total, words=words
        )


class _Lines(Display):
    """A line now and then, and the last one again when nothing moves."""

    def __init__(self, reporter: ConsoleReporter) -> None:
        self._reporter = reporter
        self._began_at = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reporter.activity("at work")

    def update(self, description: str, done: int, total: int, words: str) -> None:
        """Print a line if nothing was said for a while."""
        line = f"{description}: {words}"
        self._reporter.counted(line)

    def line(self, words: str) -> None:
        """Print a line that stays."""
        self._reporter._print(words)
