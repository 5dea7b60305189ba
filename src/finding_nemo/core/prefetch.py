"""Work done ahead of who needs it, in threads, without losing the order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# What waits for its turn behind a slow file; a frame at 224 x 224 is 0.15 MB.
_AHEAD = 32
_AHEAD_A_THREAD = 4


def prefetch_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    ahead: int | None = None,
) -> Iterator[Result]:
    """Yield `function(item)` in order, computed by threads at most `ahead` items in advance.

    Args:
        function: Called from several threads.
        items: Taken one by one.
        threads: How many.
        ahead: Default: 32, more where there are many threads.
    """
    iterator = iter(items)
    ahead = ahead or max(_AHEAD, _AHEAD_A_THREAD * threads)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque(
            pool.submit(function, item) for item in islice(iterator, ahead)
        )
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(function, item) for item in islice(iterator, 1))
        finally:
            for future in waiting:
                future.cancel()
