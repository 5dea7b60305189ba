"""Linear algebra in one thread while batches are worked on, and only then."""

from __future__ import annotations

import os
import threading
from types import TracebackType

from threadpoolctl import threadpool_limits


class OneThread:
    """A limit of one BLAS thread that any number of threads hold at once.

    The limit is the process's own: two that set and lift it in turns would each restore what the
    other had set, and leave it at one for the rest of the program. So the first to come sets it and
    the last to go lifts it.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.forget()

    def forget(self) -> None:
        """Begin anew, as if nobody had ever held it."""
        self._lock = threading.Lock()
        self._holders = 0
        self._limit: threadpool_limits | None = None

    def __enter__(self) -> None:
        """Set the limit, if nobody holds it."""
        with self._lock:
            if not self._holders:
                self._limit = threadpool_limits(1, user_api="blas")
            self._holders += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Lift the limit, if nobody else holds it."""
        with self._lock:
            self._holders -= 1
            if not self._holders and self._limit is not None:
                self._limit.restore_original_limits()
                self._limit = None


ONE_BLAS_THREAD = OneThread()
if hasattr(os, "register_at_fork"):
    # Threads that held it are not in the new process; its lock may be held for ever.
    os.register_at_fork(after_in_child=ONE_BLAS_THREAD.forget)
