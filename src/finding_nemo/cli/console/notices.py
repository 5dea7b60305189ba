"""Words and progress for the person at the terminal, on stderr, by the reporter of the command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finding_nemo.core.reporter import Reporter

_current: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


def reporter() -> Reporter:
    """Return what the command that runs tells its words and progress to."""
    found = _current.get()
    if found is None:
        from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter

        return ConsoleReporter()
    return found


@contextmanager
def reporting(*, quiet: bool, verbose: bool, log_json: bool) -> Iterator[None]:
    """Tell as the options say while the block lasts.

    Args:
        quiet: Only results and errors.
        verbose: Also what only developers want to know.
        log_json: One JSON object a line instead of words for people.
    """
    from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter, Verbosity
    from finding_nemo.reporting.terminal.json_reporter import JsonReporter

    if log_json:
        token = _current.set(JsonReporter())
        try:
            yield
        finally:
            _current.reset(token)
        return
    verbosity: Verbosity = "quiet" if quiet else "verbose" if verbose else "normal"
    with ConsoleReporter(verbosity) as found:
        token = _current.set(found)
        try:
            yield
        finally:
            _current.reset(token)


def show_notices(notices: Iterable[str]) -> None:
    """Write what a reader of a data set or split should know."""
    for notice in notices:
        reporter().message(f"note: {notice}")
