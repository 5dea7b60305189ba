"""Decode ahead of the network, in threads, without losing the order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images import decode_image
from finding_nemo.data.transforms import preprocess

Item = TypeVar("Item")
Result = TypeVar("Result")

# Two threads fill two cores: Pillow decodes and resizes without holding Python's lock.
DECODE_THREADS = 2
# Decoded frames wait in the network's size (0.6 MB at 224 x 224), so 32 of them are 20 MB.
_AHEAD = 32


@dataclass(frozen=True, slots=True)
class ReadyImage:
    """One image as the network takes it, or the reason why not.

    Attributes:
        values: float32, shape (3, height, width), or `None`.
        width: Frame width in px, if it could be read.
        height: Frame height in px, if it could be read.
        failure: Why it cannot be used, or `None`.
    """

    values: npt.NDArray[np.float32] | None
    width: int | None
    height: int | None
    failure: str | None


def ready_image(source: Path | bytes, preprocessing: Preprocessing) -> ReadyImage:
    """Decode and preprocess one file; a file that cannot be used gives its reason."""
    try:
        decoded = decode_image(source)
    except ImageError as error:
        return ReadyImage(None, None, None, str(error))
    values = preprocess(decoded.pixels, preprocessing)
    return ReadyImage(values, decoded.width, decoded.height, None)


def mapped_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int = DECODE_THREADS,
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
