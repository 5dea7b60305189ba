"""Linear algebra in one thread while images are predicted, and as it was after that."""

from __future__ import annotations

import os
import threading
from types import TracebackType

from threadpoolctl import threadpool_info, threadpool_limits


class OneThread:
    """A limit of one BLAS thread that any number of predictions hold at once.

    The limit is the whole program's: two that set and lift it in turns would each restore what the
    other had set, and leave it at one for ever. So the first to come sets it and the last to go
    lifts it, in whatever threads they are.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.forget()

    def forget(self) -> None:
        """Begin anew, as if nobody had ever held it."""
        self._lock = threading.Lock()
        self._holders = 0
        self._limit: _Limit | None = None

    def __enter__(self) -> None:
        """Set the limit, if nobody holds it."""
        with self._lock:
            if not self._holders:
                self._limit = _Limit()
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
                self._limit.lift()
                self._limit = None


class _Limit:
    """The limit, set and lifted by a thread that is there for nothing else.

    Only the thread that set OpenBLAS's limit can lift it: threadpoolctl passes over all others
    without a word. Whoever predicts may end in another thread than the one that began, or after
    that one is gone.
    """

    def __init__(self) -> None:
        self._is_set, self._is_over = threading.Event(), threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="one BLAS thread", daemon=True)
        self._keeper.start()
        self._is_set.wait()
        # The caller may hold a limit of its own already, which then only it can change.
        held = {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}
        self._of_caller = threadpool_limits(1, user_api="blas") if held - {1} else None

    def _keep(self) -> None:
        try:
            with threadpool_limits(1, user_api="blas"):
                self._is_set.set()
                self._is_over.wait()
        finally:
            self._is_set.set()

    def lift(self) -> None:
        """Lift it, and return when it is lifted."""
        if self._of_caller is not None:
            self._of_caller.__exit__(None, None, None)
        self._is_over.set()
        self._keeper.join()


ONE_BLAS_THREAD = OneThread()
if hasattr(os, "register_at_fork"):
    # Threads that held it are not in the new process; its lock may be held for ever.
    os.register_at_fork(after_in_child=ONE_BLAS_THREAD.forget)
