"""Work done ahead of who needs it, in threads, without losing the order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Decoded frames wait in the network's size (0.6 MB at 224 x 224), so 32 of them are 20 MB.
_AHEAD = 32


def mapped_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    ahead: int = _AHEAD,
) -> Iterator[Result]:
    """Yield `function(item)` in order, computed by threads at most `ahead` items in advance."""
    iterator = iter(items)
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
