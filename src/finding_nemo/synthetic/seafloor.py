"""The bottom under the lamps, and the water where there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Float32s

_MAP_PX = 1024
_MAP_M = 5.0
# Beyond this the lamps show nothing.
_FURTHEST_M = 14.0


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera is and how it looks.

    Attributes:
        width_px: Of the frame.
        height_px: Of the frame.
        above_m: Height over the bottom.
        down: Angle below the horizontal, radians.
        x_m: Place over the bottom, to the right.
        y_m: Place over the bottom, ahead.
    """

    width_px: int
    height_px: int
    above_m: float
    down: float
    x_m: float
    y_m: float

    @property
    def focal_px(self) -> float:
        """Focal length: a frame is about 62 degrees wide."""
        return 0.83 * self.width_px

    def on_screen(self, x_m: float, y_m: float) -> tuple[float, float, float]:
        """Return (x px, y px, distance m) of a place on the bottom."""
        ahead, right = y_m - self.y_m, x_m - self.x_m
        depth = ahead * np.cos(self.down) + self.above_m * np.sin(self.down)
        fall = self.above_m * np.cos(self.down) - ahead * np.sin(self.down)
        depth = max(float(depth), 0.05)
        x = self.width_px / 2 + self.focal_px * right / depth
        y = self.height_px / 2 + self.focal_px * fall / depth
        return float(x), float(y), depth

    def on_bottom(self) -> tuple[Float32s, Float32s, Float32s]:
        """Return (x m, y m, distance m) of every pixel; distance is infinite above the horizon."""
        u = (np.arange(self.width_px, dtype=np.float32) + 0.5 - self.width_px / 2) / self.focal_px
        v = (np.arange(self.height_px, dtype=np.float32) + 0.5 - self.height_px / 2) / self.focal_px
        u, v = np.meshgrid(u, v)
        sinks = np.sin(self.down) + v * np.cos(self.down)
        reach = np.where(sinks > 0.02, self.above_m / np.maximum(sinks, 0.02), np.inf)
        ahead = reach * (np.cos(self.down) - v * np.sin(self.down))
        distance = reach * np.sqrt(1 + u**2 + v**2)
        seen = distance < _FURTHEST_M
        x = np.where(seen, self.x_m + reach * u, 0)
        y = np.where(seen, self.y_m + ahead, 0)
        return tuple(a.astype(np.float32) for a in (x, y, np.where(seen, distance, np.inf)))  # type: ignore[return-value]


@dataclass(frozen=True)
class Floor:
    """A patch of bottom that repeats.

    Attributes:
        light: Lit colour, shape (1024, 1024, 3), for 5 x 5 m.
    """

    light: Float32s

    def look_up(self, x_m: Float32s, y_m: Float32s) -> Float32s:
        """Return its light at places in metres, bilinear, shape (..., 3)."""
        column, row = x_m / _MAP_M * _MAP_PX, y_m / _MAP_M * _MAP_PX
        left, top = np.floor(column).astype(np.int32), np.floor(row).astype(np.int32)
        across, down = (column - left)[..., np.newaxis], (row - top)[..., np.newaxis]
        left, top = left % _MAP_PX, top % _MAP_PX
        right, below = (left + 1) % _MAP_PX, (top + 1) % _MAP_PX
        upper = self.light[top, left] * (1 - across) + self.light[top, right] * across
        lower = self.light[below, left] * (1 - across) + self.light[below, right] * across
        return np.asarray(upper * (1 - down) + lower * down, dtype=np.float32)


def make_floor(kind: str, rng: np.random.Generator) -> Floor:
    """Return a bottom of "mud" or "rock"."""
    return _rock(rng) if kind == "rock" else _mud(rng)


def clouds(rng: np.random.Generator, *, slope: float, smallest: float = 2.0) -> Float32s:
    """Return noise of mean 0 and deviation 1 whose spectrum falls as frequency to `-slope`.

    It repeats without a seam. Waves shorter than `smallest` px are left out.
    """
    white = np.fft.rfft2(rng.standard_normal((_MAP_PX, _MAP_PX)))
    fy, fx = np.fft.fftfreq(_MAP_PX)[:, np.newaxis], np.fft.rfftfreq(_MAP_PX)[np.newaxis]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1.0
    white *= frequency**-slope * np.exp(-((frequency * smallest) ** 2))
    white[0, 0] = 0.0
    field = np.fft.irfft2(white, s=(_MAP_PX, _MAP_PX))
    return np.asarray(field / field.std(), dtype=np.float32)


def _relief(height: Float32s, strength: float) -> Float32s:
    across = np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1)
    down = np.roll(height, -1, axis=0) - np.roll(height, 1, axis=0)
    return np.asarray(np.clip(1 + strength * (0.6 * across + down), 0.25, 1.9), dtype=np.float32)


def _mud(rng: np.random.Generator) -> Floor:
    rough = float(rng.uniform(0.05, 0.22))
    height = 1.4 * clouds(rng, slope=2.1) + rough * clouds(rng, slope=1.0)
    for _ in range(rng.integers(12, 70)):
        _burrow(height, rng)
    colour = np.array([0.50, 0.47, 0.41]) * rng.uniform(0.75, 1.15) + rng.normal(0, 0.02, 3)
    stain = 1 + 0.08 * clouds(rng, slope=1.4)
    grit = 1 + 0.06 * clouds(rng, slope=0.2, smallest=1.0)
    light = colour * (stain * grit * _relief(height, 1.2))[..., np.newaxis]
    return Floor(np.clip(light, 0.02, 1).astype(np.float32))


def _burrow(height: Float32s, rng: np.random.Generator) -> None:
    """Dig a hole with a rim, in place."""
    radius = int(rng.integers(4, 14))
    row, column = rng.integers(0, _MAP_PX, 2)
    span = np.arange(-3 * radius, 3 * radius + 1)
    far = np.hypot(span[np.newaxis], span[:, np.newaxis]) / radius
    shape = 0.9 * np.exp(-((far - 1.6) ** 2) * 3) - 2.2 * np.exp(-(far**2) * 1.5)
    rows, columns = (row + span) % _MAP_PX, (column + span) % _MAP_PX
    height[np.ix_(rows, columns)] += shape.astype(np.float32) * rng.uniform(0.3, 0.8)


def _rock(rng: np.random.Generator) -> Floor:
    field = clouds(rng, slope=1.9, smallest=5.0)
    blocks = np.tanh(6.0 * (field - 0.25 + 0.12 * clouds(rng, slope=1.1)))
    stone_share = np.clip(0.5 + 0.6 * blocks, 0, 1)
    bumps = -np.abs(clouds(rng, slope=1.3))
    height = 3.2 * blocks + (0.2 + 0.9 * stone_share) * bumps
    stone = np.array([0.25, 0.235, 0.22]) * rng.uniform(0.7, 1.3)
    silt = np.array([0.50, 0.47, 0.42])
    mix = stone_share[..., np.newaxis]
    grit = (1 + 0.07 * clouds(rng, slope=0.3, smallest=1.0))[..., np.newaxis]
    colour = (stone * mix + silt * (1 - mix)) * grit
    crust = (clouds(rng, slope=0.9) > 1.5) & (stone_share > 0.6)
    pink = np.array([0.62, 0.40, 0.38]) * rng.uniform(0.7, 1.1)
    colour = np.where(crust[..., np.newaxis], 0.55 * colour + 0.45 * pink, colour)
    light = colour * _relief(height.astype(np.float32), 0.8)[..., np.newaxis]
    return Floor(np.clip(light, 0.01, 1).astype(np.float32))
