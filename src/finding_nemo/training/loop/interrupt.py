"""Ctrl-C between two steps instead of in the middle of one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_ANSWER = b"\nStopping after this step, which is kept. Ctrl-C again stops at once.\n"


@contextmanager
def stop_request(*, answered: bool) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed since; pressed again, it interrupts.

    Where another handler is set, or outside of the main thread, it says no for ever.

    Args:
        answered: Whether the first Ctrl-C is answered on stderr.
    """
    asked = threading.Event()

    def at_first(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()
        if answered:
            # Printing may be interrupted here while it holds its lock; this asks for none.
            with suppress(OSError):
                os.write(2, _ANSWER)

    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:
        yield asked.is_set
        return
    signal.signal(signal.SIGINT, at_first)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Nobody has asked since: it is not forgotten.
    if asked.is_set():
        raise KeyboardInterrupt
