"""Files damaged on purpose: which share is noticed, what is refused wrongly, what the check costs.

`python benchmarks/damage.py FRAMES [--frames 200] [--whole 100000]`; the frames are JPEG files.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from timing import cpu_seconds, table

from finding_nemo.core.errors import ImageError
from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.data.images.decode import decode_image

Damage = Callable[[bytes, int, int, random.Random], bytes]
END = b"\xff\xd9"
PARTS = (0.02, 0.1, 0.3)
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {"quality": 85}),
    "JPEG, restarts": ("JPEG", {"quality": 85, "restart_marker_rows": 1}),
    "JPEG, progressive": ("JPEG", {"quality": 85, "progressive": True}),
    "WebP": ("WEBP", {"quality": 85}),
    "WebP, lossless": ("WEBP", {"lossless": True}),
    "PNG": ("PNG", {}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, JPEG": ("TIFF", {"compression": "jpeg"}),
    "GIF": ("GIF", {}),
}
WHOLE: dict[str, dict[str, Any]] = {
    "quality 20": {"quality": 20},
    "quality 100": {"quality": 100},
    "4:4:4, optimised": {"quality": 90, "subsampling": 0, "optimize": True},
    "4:2:2": {"subsampling": 1},
    "progressive": {"progressive": True},
    "progressive, quality 100": {"quality": 100, "progressive": True},
    "restart each MCU": {"restart_marker_blocks": 1},
    "restart each row": {"restart_marker_rows": 1},
    "progressive, restarts": {"progressive": True, "restart_marker_rows": 2},
}
# Size of what stands behind the coded data: an end marker; for the others nothing is kept.
_KEPT = {"JPEG": 2}


def cut(content: bytes, start: int, size: int, chance: random.Random) -> bytes:
    return content[:start] + content[start + size :]


def zeros(content: bytes, start: int, size: int, chance: random.Random) -> bytes:
    return content[:start] + bytes(size) + content[start + size :]


def garbage(content: bytes, start: int, size: int, chance: random.Random) -> bytes:
    return content[:start] + chance.randbytes(size) + content[start + size :]


def doubled(content: bytes, start: int, size: int, chance: random.Random) -> bytes:
    before = content[max(start - size, 0) : start]
    return content[:start] + before + content[start + len(before) :]


DAMAGES: dict[str, Damage] = {
    "lost": cut, "zeros": zeros, "garbage": garbage, "repeated": doubled,
}  # fmt: skip


def saved(image: Image.Image, form: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def is_refused(content: bytes) -> bool:
    try:
        decode_image(content)
    except ImageError:
        return True
    return False


def noticed(frames: Sequence[Image.Image]) -> str:
    """Return the share of damaged files that are refused, by form, damage and part lost."""
    header = ["form", *(f"{name}, {kind}" for name in DAMAGES for kind in (*PARTS, "to the end"))]
    rows = []
    for name, (form, options) in FORMS.items():
        contents = [saved(frame, form, options) for frame in frames]
        row: list[object] = [name]
        for damage in DAMAGES.values():
            chance = random.Random(name)
            for part in (*PARTS, None):
                count = sum(is_refused(_damaged(c, form, damage, part, chance)) for c in contents)
                row.append(f"{100 * count / len(contents):.0f} %")
        rows.append(row)
    return table(header, rows)


def _damaged(
    content: bytes, form: str, damage: Damage, part: float | None, chance: random.Random
) -> bytes:
    first, end = len(content) // 10, len(content) - _KEPT.get(form, 0)
    size = int(len(content) * (part or 0))
    start = chance.randrange(first, max(end - size, first + 1))
    return damage(content, start, end - start if part is None else size, chance)


def refused_whole(paths: Sequence[Path], frames: Sequence[Image.Image]) -> str:
    """Return how many whole files are refused: as they came, and written anew in many ways."""
    as_they_came = sum(is_refused(path.read_bytes()) for path in paths)
    rows: list[tuple[str, int, int]] = [("as they came", len(paths), as_they_came)]
    for name, options in WHOLE.items():
        for kind, change in CHANGES.items():
            refused = sum(is_refused(saved(change(f), "JPEG", options)) for f in frames)
            rows.append((f"{name}, {kind}", len(frames), refused))
    for name, (form, options) in FORMS.items():
        for kind, change in CHANGES.items():
            if kind != "CMYK":
                refused = sum(is_refused(saved(change(f), form, options)) for f in frames)
                rows.append((f"{name}, {kind}", len(frames), refused))
    n_files, n_refused = sum(row[1] for row in rows), sum(row[2] for row in rows)
    shown = [row for row in rows if row[2]]
    return table(["whole files", "files", "refused"], [*shown, ("all", n_files, n_refused)])


def _letterboxed(frame: Image.Image) -> Image.Image:
    pixels = np.asarray(frame).copy()
    pixels[: len(pixels) // 8] = 0
    pixels[-len(pixels) // 4 :] = 0
    return Image.fromarray(pixels)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "colour": lambda frame: frame,
    "grey": lambda frame: frame.convert("L"),
    "CMYK": lambda frame: frame.convert("CMYK"),
    "letterbox": _letterboxed,
    "black": lambda frame: Image.new("RGB", frame.size),
    "noise": lambda frame: Image.effect_noise(frame.size, 120).convert("RGB"),
}


def cost(frames: Sequence[Image.Image]) -> str:
    """Return the milliseconds of a frame, by Pillow alone and checked."""
    rows = []
    for name, (form, options) in FORMS.items():
        contents = [saved(frame, form, options) for frame in frames]
        plain, ours = [], []
        for content in contents:
            in_turn = [
                (cpu_seconds(partial(_plain, content)), cpu_seconds(partial(decode_image, content)))
                for _ in range(7)
            ]
            plain.append(min(first for first, _ in in_turn))
            ours.append(min(second for _, second in in_turn))
        first, second = statistics.mean(plain) * 1e3, statistics.mean(ours) * 1e3
        rows.append([name, f"{first:.2f}", f"{second:.2f}"])
    return table(["form", "Pillow, ms", "checked, ms"], rows)


def _plain(content: bytes) -> object:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--whole", type=int, default=100_000)
    given = parser.parse_args()
    raise_malloc_thresholds()
    paths = sorted(given.folder.rglob("*.jpg"))
    step = max(len(paths) // given.frames, 1)
    frames = [Image.open(path).convert("RGB") for path in paths[::step][: given.frames]]
    print(cost(frames[:40]), "\n")
    print(refused_whole(paths[: given.whole], frames[:: max(len(frames) // 20, 1)]), "\n")
    print(noticed(frames))


if __name__ == "__main__":
    main()
