"""A small canvas where bodies are built of tubes and lit as solids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float32s

Colour = tuple[float, float, float]

# The lamps stand above and left of the camera.
_LAMP = np.array([-0.35, -0.55, 0.76], dtype=np.float32)
_AMBIENT = 0.38


class Canvas:
    """A square of [-extent, extent] on which tubes are laid; x to the right, y down, z to us."""

    def __init__(self, size_px: int, extent: float = 1.15) -> None:
        """Make it empty.

        Args:
            size_px: Its width and height.
            extent: Half its width in body units.
        """
        self.size_px = size_px
        self.extent = extent
        self._step = 2 * extent / size_px
        axis = (np.arange(size_px, dtype=np.float32) + 0.5) * self._step - extent
        self._x, self._y = np.meshgrid(axis, axis)
        self._height = np.full((size_px, size_px), -9.0, dtype=np.float32)
        self._alpha = np.zeros((size_px, size_px), dtype=np.float32)
        self._colour = np.zeros((size_px, size_px, 3), dtype=np.float32)

    def tube(
        self,
        points: Sequence[tuple[float, float]] | npt.NDArray[np.floating],
        radii: Sequence[float] | npt.NDArray[np.floating] | float,
        colour: Colour,
        *,
        base: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """Lay a round tube along `points`.

        Args:
            points: Its middle line.
            radii: Its radius at each point, or everywhere.
            colour: Red, green, blue in [0, 1].
            base: How high it lies.
            opacity: In [0, 1]; below 1 what lies under it shows through.
        """
        line = np.asarray(points, dtype=np.float32)
        width = np.broadcast_to(np.asarray(radii, dtype=np.float32), (len(line),))
        for a, b, ra, rb in zip(line[:-1], line[1:], width[:-1], width[1:], strict=True):
            self._segment(a, b, float(ra), float(rb), colour, base, opacity)

    def ball(
        self,
        centre: tuple[float, float],
        radius: float,
        colour: Colour,
        *,
        base: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """Lay a ball."""
        self.tube([centre, centre], radius, colour, base=base, opacity=opacity)

    def _segment(
        self,
        a: Float32s,
        b: Float32s,
        ra: float,
        rb: float,
        colour: Colour,
        base: float,
        opacity: float,
    ) -> None:
        reach = max(ra, rb) + 2 * self._step
        window = self._window(np.minimum(a, b) - reach, np.maximum(a, b) + reach)
        x, y = self._x[window], self._y[window]
        if not x.size:
            return
        along = b - a
        length = float(along @ along)
        position = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(length, 1e-9)
        position = np.clip(position, 0, 1) if length > 1e-9 else np.zeros_like(x)
        distance = np.hypot(x - a[0] - position * along[0], y - a[1] - position * along[1])
        radius = ra + position * (rb - ra)
        # A tube thinner than a pixel covers part of it.
        cover = np.clip((radius - distance) / self._step + 0.5, 0, 1) * opacity
        height = base + np.sqrt(np.maximum(radius**2 - distance**2, 0))
        above = (cover > 0) & (height > self._height[window])
        weight = np.where(above, np.maximum(cover, 1e-3), 0)[..., np.newaxis]
        self._colour[window] += weight * (
            np.asarray(colour, dtype=np.float32) - self._colour[window]
        )
        solid = above & (cover > 0.35)
        self._height[window] = np.where(solid, height, self._height[window])
        self._alpha[window] = np.maximum(self._alpha[window], cover)

    def _window(
        self, low: npt.NDArray[np.floating], high: npt.NDArray[np.floating]
    ) -> tuple[slice, slice]:
        first = np.floor((low + self.extent) / self._step).astype(int)
        last = np.ceil((high + self.extent) / self._step).astype(int) + 1
        first, last = np.clip(first, 0, self.size_px), np.clip(last, 0, self.size_px)
        return slice(first[1], last[1]), slice(first[0], last[0])

    def speckle(self, rng: np.random.Generator, amount: float) -> None:
        """Vary the colour from place to place, as skin does."""
        coarse = rng.normal(0, amount, (self.size_px // 4 + 1, self.size_px // 4 + 1))
        noise = np.kron(coarse, np.ones((4, 4)))[: self.size_px, : self.size_px]
        fine = rng.normal(0, amount / 2, noise.shape)
        self._colour *= (1 + noise + fine)[..., np.newaxis].astype(np.float32)

    def lit(self) -> Float32s:
        """Return the body under the lamps, shape (size, size, 4): light in [0, 1], then alpha."""
        height = np.where(self._height < -8, 0, self._height)
        fall_y, fall_x = np.gradient(height, self._step)
        steep = np.sqrt(fall_x**2 + fall_y**2 + 1)
        facing = (-fall_x * _LAMP[0] - fall_y * _LAMP[1] + _LAMP[2]) / steep
        facing = np.clip(facing, 0, 1)
        shade = _AMBIENT + (1 - _AMBIENT) * facing
        gloss = 0.16 * facing**18
        light = self._colour * shade[..., np.newaxis] + gloss[..., np.newaxis]
        return np.dstack([np.clip(light, 0, 1), self._alpha]).astype(np.float32)


def curve(
    rng: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    length: float,
    *,
    bend: float,
    n: int = 8,
) -> npt.NDArray[np.float32]:
    """Return a smooth random line of `n` points that wanders by about `bend` radians."""
    turns = np.cumsum(rng.normal(0, bend / np.sqrt(n), n)) + rng.normal(0, bend / 3) * np.linspace(
        0, 1, n
    )
    steps = np.stack([np.cos(angle + turns), np.sin(angle + turns)], axis=1) * (length / n)
    return np.concatenate([[start], np.asarray(start) + np.cumsum(steps, axis=0)]).astype(
        np.float32
    )
