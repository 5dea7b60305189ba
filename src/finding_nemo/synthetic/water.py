"""What the water and the camera do to light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from finding_nemo.core.arrays import Float32s


@dataclass(frozen=True, slots=True)
class Look:
    """How the frames of one dive look.

    Attributes:
        loss_per_m: Share of red, green and blue light that a metre of water takes, as -log.
        veil: Colour of the light that the water throws back.
        veil_per_m: How fast that veil thickens.
        beam: Centre of the lamps' light in the frame, each in [-0.5, 0.5].
        beam_width: Of the lit part, in frame widths.
        exposure: Brightness.
        grain: Standard deviation of the sensor's noise.
        blur_px: Softness of the lens.
        snow: Particles in the frame.
        overlay: Whether the vehicle writes into the frame.
    """

    loss_per_m: tuple[float, float, float]
    veil: tuple[float, float, float]
    veil_per_m: float
    beam: tuple[float, float]
    beam_width: float
    exposure: float
    grain: float
    blur_px: float
    snow: int
    overlay: bool


def through_water(light: Float32s, distance_m: Float32s, look: Look) -> Float32s:
    """Return what reaches the camera of light that leaves at `distance_m`.

    The lamps are beside the camera, so light goes the distance twice; red is lost first.

    Args:
        light: Shape (..., 3).
        distance_m: Shape (...).
        look: The dive's water.
    """
    distance = distance_m[..., np.newaxis]
    loss = np.asarray(look.loss_per_m, dtype=np.float32)
    veil = np.asarray(look.veil, dtype=np.float32)
    kept = np.exp(-2 * loss * distance)
    thickness = 1 - np.exp(-look.veil_per_m * distance)
    return np.asarray(light * kept + veil * thickness, dtype=np.float32)


def beam(shape: tuple[int, int], look: Look) -> Float32s:
    """Return the lamps' light over the frame in [0, 1], shape (height, width)."""
    height, width = shape
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5 - look.beam[0]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5 - look.beam[1]) * 0.62
    square = x[np.newaxis, :] ** 2 + y[:, np.newaxis] ** 2
    return np.asarray(0.16 + 0.84 * np.exp(-square / (2 * look.beam_width**2)), dtype=np.float32)


def snow(frame: Float32s, look: Look, rng: np.random.Generator) -> None:
    """Let marine snow drift through, in place: mostly specks, a few near and out of focus."""
    height, width = frame.shape[:2]
    n = int(rng.poisson(look.snow))
    for near in rng.random(n) ** 3:
        radius = 0.5 + 3.2 * float(near) ** 2
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        bright = rng.uniform(0.08, 0.5) / (1 + 0.5 * radius)
        low_x, high_x = int(max(x - 3 * radius, 0)), int(min(x + 3 * radius + 1, width))
        low_y, high_y = int(max(y - 3 * radius, 0)), int(min(y + 3 * radius + 1, height))
        gx = np.arange(low_x, high_x, dtype=np.float32) - x
        gy = np.arange(low_y, high_y, dtype=np.float32) - y
        streak = 1.0 + 0.5 * near
        spot = np.exp(-(gx[np.newaxis] ** 2 + (gy[:, np.newaxis] / streak) ** 2) / radius**2)
        frame[low_y:high_y, low_x:high_x] += (bright * spot)[..., np.newaxis] * np.float32(0.9)


def camera(frame: Float32s, look: Look, rng: np.random.Generator) -> Image.Image:
    """Return the frame as the recorder keeps it: vignette, exposure, softness, grain, 8 bits."""
    height, width = frame.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[np.newaxis, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, np.newaxis]
    vignette = 1 / (1 + 0.32 * (x**2 + y**2)) ** 2
    shown = frame * vignette[..., np.newaxis] * look.exposure
    # A film-like shoulder keeps near animals from burning out.
    shown = 1 - np.exp(-1.5 * np.clip(shown, 0, None))
    coarse = rng.normal(0, look.grain, (height // 2 + 1, width // 2 + 1, 1)).astype(np.float32)
    coarse = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    fine = rng.standard_normal((height, width, 3), dtype=np.float32) * (0.7 * look.grain)
    shown = shown ** np.float32(0.72) + coarse + fine
    image = Image.fromarray((np.clip(shown, 0, 1) * 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(look.blur_px)) if look.blur_px > 0.2 else image


def write_overlay(image: Image.Image, text: tuple[str, str]) -> None:
    """Burn two lines into the frame, as some vehicles do."""
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=11)
    for line, position in zip(text, ((10, 6), (10, image.height - 20)), strict=True):
        draw.text((position[0] + 1, position[1] + 1), line, fill=(0, 0, 0), font=font)
        draw.text(position, line, fill=(214, 222, 214), font=font)
