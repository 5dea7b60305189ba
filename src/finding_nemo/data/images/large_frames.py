"""Frames so large that threads take turns with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from finding_nemo.core.malloc import give_memory_back

# 8K video is 33 megapixels, 4K is 8. Pillow takes 4 bytes a pixel, so a frame below is 100 MB at
# most in each thread. One of 100 megapixels took 0.3 GB (16-bit grey) to 1.1 GB (16-bit colours,
# all dark), measured with three and four threads.
LARGE_PX = 25_000_000
_turn = threading.RLock()  # a file may be large in bytes and in pixels


@contextmanager
def one_at_a_time(n_px: int) -> Iterator[None]:
    """Wait, with a frame of more than `LARGE_PX`, until no other thread has one."""
    if n_px <= LARGE_PX:
        yield
        return
    with _turn:
        give_memory_back()  # what the thread before had
        yield
