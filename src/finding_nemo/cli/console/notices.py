"""Words and progress for the person at the terminal, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


def error_console() -> Console:
    """Return a console that writes to stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def notify(message: str) -> None:
    """Write one sentence to stderr; brackets, colons and control characters are shown."""
    from finding_nemo.reporting.terminal.tables import plain

    error_console().print(plain(message), soft_wrap=True)


def show_notices(notices: Iterable[str]) -> None:
    """Write what a reader of a data set or split should know."""
    for notice in notices:
        notify(f"note: {notice}")


def image_progress(description: str) -> tuple[Progress, Callable[[int, int, int], None]]:
    """Return a progress display of images and the function that moves it.

    The function takes (images done, images in all, failures).
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=error_console(),
    )
    task = progress.add_task(description, total=None, rate="")

    def move(done: int, total: int, failures: int) -> None:
        elapsed_s = progress.tasks[0].elapsed or 0.0
        rate = f"{done / elapsed_s:.0f} images/s" if elapsed_s else ""
        failed = f", {failures} failed" if failures else ""
        progress.update(task, completed=done, total=total, rate=rate + failed)

    return progress, move
