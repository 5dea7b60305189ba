"""Gradient accumulation: a step in micro-batches, in as much less memory."""

from __future__ import annotations

import math
from itertools import pairwise

from finding_nemo.core.choice import Choice

# Lite2, every layer trained: three frames of 480 x 352 take 2.2 GB, six 3.3 GB; two of 768 x 544
# take 3.2 GB, three 4.1 GB, in the same time a frame. A laptop of 8 GB has about 5 to give, and
# training holds more than a step (docs/experiments/0022-memory-of-a-step.md).
_MOST_PIXELS = 850_000


def choose_micro_batch_size(
    wanted: int | None, *, batch_size: int, n_pixels: int, every_layer: bool, device: str
) -> Choice[int]:
    """Return how many images of a step are computed together at most; 0 for all of them.

    Args:
        wanted: As set, 0 for the whole step; None to choose.
        batch_size: Images of a step.
        n_pixels: Of an image.
        every_layer: Whether the lowest layers are trained, whose maps are the largest.
        device: What trains.
    """
    if wanted is not None:
        return _choice(wanted, "as set")
    if device != "cpu":
        return _choice(0, f"as usual on {device}; micro_batch_size=N if its memory is too small")
    if not every_layer:
        return _choice(0, "the lowest layers, whose maps are the largest, are not trained")
    fitting = max(_MOST_PIXELS // n_pixels, 1)
    if fitting >= batch_size:
        return _choice(0, "they fit a laptop's memory")
    longest = max(
        micro_batch.stop - micro_batch.start
        for micro_batch in split_micro_batches(batch_size, fitting)
    )
    return _choice(
        longest, f"{batch_size} of {n_pixels / 1e6:.2f} million pixels would take a laptop's memory"
    )


def _choice(n_images: int, reason: str) -> Choice[int]:
    return Choice(n_images, reason, shown=str(n_images or "all"))


def split_micro_batches(n_images: int, micro_batch_size: int) -> list[slice]:
    """Return a step's images in micro-batches of about one length.

    Batch normalisation cannot learn from one image, so none is alone in one unless it is the
    only one.

    Args:
        n_images: At least 1.
        micro_batch_size: At most so many images in each; 0 for a single one.
    """
    wanted = math.ceil(n_images / micro_batch_size) if micro_batch_size else 1
    n_micro_batches = max(1, min(wanted, n_images // 2))
    edges = [n_images * edge // n_micro_batches for edge in range(n_micro_batches + 1)]
    return [slice(start, end) for start, end in pairwise(edges)]
