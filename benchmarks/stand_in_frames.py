"""Drawn frames that stand in for images that may not be passed on.

Each has the size that its record states, water and lamps of its dive, and an animal in each box.
Records without boxes get a few animals of any category, as a guess that nobody judges by. Frames
are smooth, so that ten thousand of them fit on a disk: a camera's noise would take ten times that.
"""

from __future__ import annotations

import colorsys
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from hashlib import sha256
from itertools import starmap
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.records import Box, ImageRecord
from finding_nemo.synthetic.canvas import Canvas
from finding_nemo.synthetic.species import SPECIES

_UP_FILTER = 2
_KEPT_BITS = np.uint8(0b11111000)
_SPRITE_PX = 96
_N_VARIANTS = 3
_USUAL_SIZE = (720, 486)
# Steps of this share of the circle keep the colours of neighbouring ids apart.
_GOLDEN = 0.618034


def draw_all(
    records: Iterable[ImageRecord], table: CategoryTable, folder: Path, *, processes: int
) -> Iterator[int]:
    """Draw what is not in `folder` yet; yield the bytes of each file."""
    wanted = [record for record in records if not (folder / record.path.name).exists()]
    with get_context("spawn").Pool(processes) as pool:
        draw = partial(draw_file, table=table, folder=folder)
        yield from pool.imap_unordered(draw, wanted, chunksize=16)


def draw_file(record: ImageRecord, *, table: CategoryTable, folder: Path) -> int:
    """Draw the frame of one record into `folder`; whole or not at all."""
    path = folder / record.path.name
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(png_bytes(draw_frame(record, table)))
    unfinished.replace(path)
    return path.stat().st_size


def png_bytes(image: Image.Image) -> bytes:
    """Return an RGB image in 32 steps a colour as PNG, each row as its difference to the one above.

    Pillow tries five filters a row; one that suits smooth frames takes half of its time.

    Source: PNG specification, https://www.w3.org/TR/png-3/, sections 7 and 9.
    """
    pixels = np.asarray(image) & _KEPT_BITS
    height, width = pixels.shape[:2]
    rows = np.full((height, 1 + 3 * width), _UP_FILTER, dtype=np.uint8)
    rows[:, 1:] = pixels.reshape(height, -1)
    rows[1:, 1:] -= rows[:-1, 1:].copy()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), 1)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(starmap(_chunk, chunks))


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def draw_frame(record: ImageRecord, table: CategoryTable) -> Image.Image:
    """Return the frame of one record, always the same."""
    width, height = record.width or _USUAL_SIZE[0], record.height or _USUAL_SIZE[1]
    rng = _rng(record.image_id)
    image = _water(record.dive or "", (width, height), rng)
    for box in record.boxes or _guessed_boxes(rng, table, width, height):
        group = table.supercategories[table.column_of(box.category_id)]
        sprite = _sprite(box.category_id, group, int(rng.integers(_N_VARIANTS)))
        size = max(int(box.width_px), 2), max(int(box.height_px), 2)
        shown = sprite.resize(size, Image.Resampling.BILINEAR)
        image.paste(shown.convert("RGB"), (int(box.x_px), int(box.y_px)), shown.getchannel("A"))
    return image


def _rng(text: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(sha256(text.encode()).digest()[:8], "big"))


def _water(dive: str, size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Return water of the dive, lit by lamps and above a bottom that drift from frame to frame."""
    of_dive = _rng(f"water {dive}")
    hue, bottom = of_dive.uniform(0.45, 0.62), of_dive.uniform(0.4, 0.8)
    deep = np.array(colorsys.hsv_to_rgb(hue, of_dive.uniform(0.5, 0.9), of_dive.uniform(0.2, 0.5)))
    mud = np.array(colorsys.hsv_to_rgb(0.1, of_dive.uniform(0.1, 0.4), of_dive.uniform(0.3, 0.6)))
    across, down = size[0] // 16 + 2, size[1] // 16 + 2
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, across), np.linspace(0, 1, down))
    edge = bottom + rng.normal(0, 0.08) + rng.normal(0, 0.2) * x
    share = 1 / (1 + np.exp(np.clip((edge - y) * 12, -30, 30)))[..., np.newaxis]
    lamp = np.exp(-((x - rng.normal(0, 0.15)) ** 2 + (y - 0.5 - rng.normal(0, 0.1)) ** 2) * 3)
    ground = 1 + 0.12 * rng.normal(size=(down, across))[..., np.newaxis] * share
    light = (deep * (1 - share) + mud * share * ground) * (0.35 + lamp[..., np.newaxis])
    small = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
    return small.resize(size, Image.Resampling.BILINEAR)


def _guessed_boxes(
    rng: np.random.Generator, table: CategoryTable, width: int, height: int
) -> Sequence[Box]:
    ids = rng.choice(table.ids, size=1 + int(rng.poisson(1.5)))
    boxes = []
    for category_id in ids.tolist():
        side = float(rng.uniform(0.08, 0.35)) * height
        x, y = rng.uniform(0, width - side), rng.uniform(0, height - side)
        boxes.append(Box(category_id, float(x), float(y), side, side))
    return boxes


@cache
def _sprite(category_id: int, group: str, variant: int) -> Image.Image:
    """Return an animal of the category: a body of its group, a colour of its own."""
    among = [species for species in SPECIES if species.supercategory == group] or SPECIES
    species = among[category_id % len(among)]
    saturation = 0.3 + 0.05 * ((category_id * 7) % 10)
    colour = colorsys.hsv_to_rgb((category_id * _GOLDEN) % 1.0, saturation, 0.85)
    canvas = Canvas(_SPRITE_PX)
    species.body(canvas, _rng(f"{category_id} {variant}"), colour)
    return Image.fromarray((canvas.lit() * 255).astype(np.uint8), "RGBA")
