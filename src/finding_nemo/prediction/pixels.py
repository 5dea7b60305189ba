"""From files to what the network says of them: in threads, without losing the order.

A thread takes an image the whole way, so every core decodes or computes at any moment, and an
image's numbers never depend on which others came with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.transforms import decode_resized
from finding_nemo.models.pixel_network import PixelNetwork, Seen

Item = TypeVar("Item")
Result = TypeVar("Result")

# Results that wait for their turn behind a slow file: an output and its features are 6 kB.
_AHEAD = 32


@dataclass(frozen=True, slots=True)
class ReadyImage:
    """One image at the network's size, or the reason why not.

    Attributes:
        pixels: uint8, shape (height, width, 3), or `None`.
        width: Frame width in px, if it could be read.
        height: Frame height in px, if it could be read.
        failure: Why it cannot be used, or `None`.
    """

    pixels: npt.NDArray[np.uint8] | None
    width: int | None
    height: int | None
    failure: str | None


def ready_image(source: Path | bytes, preprocessing: Preprocessing) -> ReadyImage:
    """Decode and resize one file; a file that cannot be used gives its reason."""
    try:
        decoded = decode_resized(source, preprocessing)
    except ImageError as error:
        return ReadyImage(None, None, None, str(error))
    return ReadyImage(decoded.pixels, decoded.width, decoded.height, None)


def see_images(images: Sequence[ReadyImage], network: PixelNetwork) -> list[Seen | None]:
    """Return what the network says of each image, `None` for those without pixels."""
    usable = [image.pixels for image in images if image.pixels is not None]
    if not usable:
        return [None] * len(images)
    seen = network.see(np.stack(usable))
    rows = iter(range(len(usable)))
    return [None if image.pixels is None else _one(seen, next(rows)) for image in images]


def _one(seen: Seen, row: int) -> Seen:
    return Seen(seen.outputs[row], None if seen.features is None else seen.features[row])


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
