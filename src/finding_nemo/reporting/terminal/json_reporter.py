"""A job's messages, progress and figures as JSON, one object a line, for logs and programs."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from finding_nemo.core.reporter import Display, Reporter
from finding_nemo.reporting.terminal.console_reporter import LINE_EVERY_S


class JsonReporter(Reporter):
    """Writes `{"time", "event", ...}` for each message, progress now and then, and each record."""

    def __init__(self, stream: TextIO | None = None, *, every_s: float = LINE_EVERY_S) -> None:
        """Write to `stream`, stderr by default; progress at most each `every_s` seconds."""
        super().__init__()
        self._stream = stream or sys.stderr
        self._every_s = every_s

    def message(self, words: str) -> None:
        """Write a message."""
        self.record("message", message=words)

    def warning(self, words: str) -> None:
        """Write a warning."""
        self.record("warning", message=words)

    def detail(self, words: str) -> None:
        """Write what only developers want to know."""
        self.record("detail", message=words)

    def record(self, event: str, **values: float | str | None) -> None:
        """Write the figures of an event."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        # ASCII: any terminal, pipe and log has it, whatever a name holds.
        self._stream.write(json.dumps({"time": now, "event": event, **values}) + "\n")
        self._stream.flush()

    def display(self, description: str) -> Display:
        """Return what writes progress."""
        return _Records(self, self._every_s)


class _Records(Display):
    def __init__(self, reporter: JsonReporter, every_s: float) -> None:
        self._reporter, self._every_s = reporter, every_s
        self._written_at = time.monotonic()

    def update(self, description: str, done: int, total: int, words: str) -> None:
        """Write how far it is, if it is time or all is done."""
        if done < total and time.monotonic() - self._written_at < self._every_s:
            return
        self._written_at = time.monotonic()
        self._reporter.record("progress", what=description, done=done, total=total, words=words)
