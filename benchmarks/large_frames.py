"""Frames of 1920 x 1080 with the look of a camera, made from real small ones, in JPEG and PNG.

Half are one frame enlarged (whose labels stay true), half a mosaic of sixteen (as much detail as a
sharp frame has); both with the noise of a sensor. They are written to a temporary folder only.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

WIDTH, HEIGHT = 1920, 1080
_COLUMNS = 4
_QUALITY = 90


def write_large_frames(sources: Sequence[Path], folder: Path) -> list[Path]:
    """Write one enlarged and one mosaic frame a source, and return the enlarged, then the rest.

    Each is in `folder`/jpg and `folder`/png under the same name; the paths are those in jpg.
    """
    rng = np.random.default_rng(0)
    enlarged = [_write(_enlarged(path), rng, folder, f"{path.stem}") for path in sources]
    mosaics = [
        _write(_mosaic(rng.choice(len(sources), 16), sources), rng, folder, f"mosaic{k}")
        for k in range(len(sources))
    ]
    return enlarged + mosaics


def _enlarged(path: Path) -> npt.NDArray[np.float32]:
    image = Image.open(path).convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32)


def _mosaic(chosen: npt.NDArray[np.int64], sources: Sequence[Path]) -> npt.NDArray[np.float32]:
    size = (WIDTH // _COLUMNS, HEIGHT // _COLUMNS)
    out = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
    for place, number in enumerate(chosen):
        row, column = divmod(place, _COLUMNS)
        tile = Image.open(sources[number]).convert("RGB").resize(size)
        top, left = row * size[1], column * size[0]
        out[top : top + size[1], left : left + size[0]] = np.asarray(tile)
    return out


def enlarged_jpeg(source: Path, rng: np.random.Generator) -> bytes:
    """Return one frame enlarged, with a sensor's noise, as a JPEG file's content."""
    content = io.BytesIO()
    _noisy(_enlarged(source), rng).save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def _noisy(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> Image.Image:
    noise = rng.normal(0, 2.0, (HEIGHT, WIDTH, 1)) + rng.normal(0, 1.2, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).round().astype(np.uint8))


def _write(
    pixels: npt.NDArray[np.float32], rng: np.random.Generator, folder: Path, name: str
) -> Path:
    image = _noisy(pixels, rng)
    for form in ("jpg", "png"):
        (folder / form).mkdir(parents=True, exist_ok=True)
        # PNG has no quality and ignores it.
        image.save(folder / form / f"{name}.{form}", quality=_QUALITY)
    return folder / "jpg" / f"{name}.jpg"
