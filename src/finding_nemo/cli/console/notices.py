"""Words and progress for the person at the terminal, on stderr, by the reporter of the command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finding_nemo.core.reporter import Reporter

_current: ContextVar[Reporter | None] = ContextVar("reporter", default=None)
_waiting: ContextVar[tuple[str, ...]] = ContextVar("waiting", default=())


def reporter() -> Reporter:
    """Return what the command that runs tells its words and progress to."""
    found = _current.get()
    if found is None:
        from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter

        return ConsoleReporter()
    return found


def tell_first(words: str) -> None:
    """Keep words that are known before the command has a reporter; they come first."""
    _waiting.set((*_waiting.get(), words))


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
        with _made_current(JsonReporter()):
            yield
        return
    verbosity: Verbosity = "quiet" if quiet else "verbose" if verbose else "normal"
    with ConsoleReporter(verbosity) as found, _made_current(found):
        yield


@contextmanager
def _made_current(found: Reporter) -> Iterator[None]:
    token = _current.set(found)
    waiting = _waiting.get()
    _waiting.set(())
    try:
        for words in waiting:
            found.message(words)
        yield
    finally:
        _current.reset(token)


def show_notices(notices: Iterable[str]) -> None:
    """Write what a reader of a data set or split should know."""
    for notice in notices:
        reporter().message(f"note: {notice}")
