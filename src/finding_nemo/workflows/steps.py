"""The steps of a long workflow, told as they begin and while they last."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from finding_nemo.core.reporter import Tell

EVERY_S = 5.0  # ten seconds of silence look like a program that hangs


class Steps:
    """Tell each step, when it begins, and how far it is while nothing else is told.

    Attributes:
        every_s: A line after so many seconds of silence, for whom no bar is drawn; 0 for none.
    """

    def __init__(self, tell: Tell, *, every_s: float = EVERY_S) -> None:
        """Tell nothing yet."""
        self.every_s = every_s
        self._tell = tell
        self._started = self._told = time.perf_counter()
        self._what, self._done, self._total = "", 0, 0
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if self.every_s > 0:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()

    def begin(self, what: str) -> None:
        """Tell that a step begins."""
        self._what, self._done, self._total = what, 0, 0
        self.say(self._timed(what))

    def move(self, done: int, total: int, failures: int = 0) -> None:
        """Note how much of the step is done."""
        del failures
        self._done, self._total = done, total

    def say(self, words: str) -> None:
        """Tell something of the step."""
        self._told = time.perf_counter()
        self._tell(words)

    def _timed(self, words: str) -> str:
        return f"[{time.perf_counter() - self._started:5.1f} s] {words}"

    def _watch(self) -> None:
        while not self._over.wait(self.every_s / 5):
            if time.perf_counter() - self._told >= self.every_s:
                of = f": {self._done:,} of {self._total:,}" if self._total else " ..."
                self.say(self._timed(f"still {self._what}{of}"))
