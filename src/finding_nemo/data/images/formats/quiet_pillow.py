"""Pillow's warnings, which would stand on the screen between two progress bars, kept still."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_lock = threading.Lock()
_inside: list[Any] = []
_count = 0


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pass over the warnings that Pillow gives of a file: what is wrong with it is in its row.

    Python's filters belong to all threads. They are set by the first that comes in and put back by
    the last that goes out; each for itself, one would put back what another had set.
    """
    global _count
    with _lock:
        if _count == 0:
            filters = warnings.catch_warnings()
            filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _inside.append(filters)
        _count += 1
    try:
        yield
    finally:
        with _lock:
            _count -= 1
            if _count == 0:
                _inside.pop().__exit__(None, None, None)
