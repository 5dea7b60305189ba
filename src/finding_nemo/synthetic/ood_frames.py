"""Frames that no deep-sea vehicle films: houses, pages, cloth, clouds; as bright as wanted.

They test novelty on what is clearly elsewhere. Their brightness is that of real frames, so that a
score which only measures light finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from finding_nemo.core.arrays import Float64s, Pixels

_BISECTIONS = 30


def draw_far_frames(
    brightness: Sequence[float], *, width_px: int, height_px: int, seed: int = 0
) -> list[Pixels]:
    """Draw one frame for each wanted mean brightness, the kinds in turn.

    Args:
        brightness: Mean pixel of each frame in [0, 1], as real frames have it.
        width_px: Width.
        height_px: Height.
        seed: Decides everything.

    Returns:
        Frames, uint8, shape (height, width, 3); the mean of each is within 0.01 of the wanted one.
    """
    generator = np.random.default_rng(seed)
    kinds: tuple[Callable[[np.random.Generator, int, int], Float64s], ...] = (
        _houses,
        _page,
        _cloth,
        _clouds,
    )
    return [
        match_brightness(kinds[position % len(kinds)](generator, width_px, height_px), wanted)
        for position, wanted in enumerate(brightness)
    ]


def match_brightness(light: Float64s, wanted: float) -> Pixels:
    """Return pixels whose mean is `wanted`, by one power for all of them.

    Args:
        light: In [0, 1], shape (height, width, 3), not all 0 or 1.
        wanted: In (0, 1).
    """
    low, high = -6.0, 6.0
    inside = np.clip(light, 0.02, 0.98)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if (inside ** np.exp(middle)).mean() > wanted:
            low = middle
        else:
            high = middle
    pixels: Pixels = np.rint(255 * inside ** np.exp((low + high) / 2)).astype(np.uint8)
    return pixels


def _houses(generator: np.random.Generator, width: int, height: int) -> Float64s:
    """Fronts with rows of windows before a sky."""
    frame = np.empty((height, width, 3))
    frame[:] = np.linspace(0.9, 0.6, height)[:, np.newaxis, np.newaxis] * [0.7, 0.85, 1.0]
    left = 0
    while left < width:
        right = min(width, left + int(generator.integers(width // 10, width // 4)))
        top = int(generator.integers(height // 8, height // 2))
        frame[top:, left:right] = generator.uniform(0.25, 0.75, 3)
        _windows(frame[top:, left:right], generator)
        left = right
    return frame


def _windows(front: Float64s, generator: np.random.Generator) -> None:
    step = int(generator.integers(14, 26))
    for y in range(step // 2, front.shape[0] - step // 2, step):
        for x in range(step // 2, front.shape[1] - step // 2, step):
            front[y : y + step // 2, x : x + step // 2] = generator.choice([0.1, 0.95])


def _page(generator: np.random.Generator, width: int, height: int) -> Float64s:
    """Lines of dark words on paper."""
    frame = np.full((height, width, 3), 0.92) * [1.0, 0.98, 0.93]
    for y in range(12, height - 8, 12):
        x = 14
        while x < width - 40:
            word = int(generator.integers(10, 40))
            letters = generator.random((6, word)) < 0.55
            frame[y : y + 6, x : x + word][letters] = 0.1
            x += word + 7
    return frame


def _cloth(generator: np.random.Generator, width: int, height: int) -> Float64s:
    """A plaid of saturated colours."""
    frame = np.full((height, width, 3), 0.5)
    for axis, length in ((0, height), (1, width)):
        position = 0
        while position < length:
            stop = position + int(generator.integers(6, 40))
            colour = generator.uniform(0.05, 0.95, 3)
            part = frame[position:stop] if axis == 0 else frame[:, position:stop]
            part *= 0.45
            part += 0.55 * colour
            position = stop
    return frame


def _clouds(generator: np.random.Generator, width: int, height: int) -> Float64s:
    """White clouds before blue, from noise at several scales."""
    noise = np.zeros((height, width))
    for cells in (3, 6, 12, 24, 48):
        coarse = generator.random((cells + 1, cells + 1))
        rows, columns = np.linspace(0, cells, height), np.linspace(0, cells, width)
        along = np.array([np.interp(columns, np.arange(cells + 1), row) for row in coarse])
        fine = np.array([np.interp(rows, np.arange(cells + 1), column) for column in along.T]).T
        noise += fine / cells**0.7
    share = (noise - noise.min()) / np.ptp(noise)
    cover = np.clip((share - 0.4) * 3, 0, 1)[..., np.newaxis]
    sky = np.array([0.2, 0.45, 0.9])
    frame: Float64s = cover * 0.95 + (1 - cover) * sky
    return frame
