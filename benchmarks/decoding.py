"""1920 x 1080 to 224 x 224 on one core: Pillow's full decode and resize, ours, and the parts."""

from __future__ import annotations

import io
import statistics
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from timing import cpu_seconds, table

from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import decode_resized

SPEC = Preprocessing()
RunState = Callable[[bytes], object]


def usual(content: bytes) -> npt.NDArray[np.uint8]:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR))


def ours(content: bytes) -> npt.NDArray[np.uint8]:
    return decode_resized(content, SPEC).pixels


def quarter(content: bytes) -> object:
    image = Image.open(io.BytesIO(content))
    image.draft("RGB", (image.width // 4, image.height // 4))
    return image.load()


def eighth(content: bytes) -> object:
    image = Image.open(io.BytesIO(content))
    image.draft("RGB", (image.width // 8, image.height // 8))
    return image.load()


def compare(jpeg: Sequence[Path], png: Sequence[Path]) -> str:
    """Return the table; the difference is from Pillow's full decode and antialiased resize."""
    raise_malloc_thresholds()
    rows: list[list[object]] = []
    for form, paths in (("JPEG", jpeg), ("PNG", png)):
        contents = [path.read_bytes() for path in paths]
        parts: dict[str, RunState] = {
            "Pillow, full decode + antialiased resize": usual,
            "ours": ours,
        }
        if form == "JPEG":
            parts |= {
                "decode at 1/4 alone": quarter,
                "decode at 1/8 (Huffman, almost no IDCT)": eighth,
            }
        times = _times(contents, parts)
        if form == "PNG":
            times |= _times([_deflated(content) for content in contents], _inflaters())
        differences = [np.abs(ours(c).astype(int) - usual(c)).mean() for c in contents]
        first = next(iter(times.values()))
        for name, seconds in times.items():
            known = name == "ours"
            mean = f"{np.mean(differences):.2f} (worst {max(differences):.2f})" if known else ""
            rows.append([form, name, f"{1 / seconds:.0f}", f"{first / seconds:.2f}", mean])
    return table(["file", "way", "images/s of one core", "times Pillow", "grey levels apart"], rows)


def _times(contents: Sequence[bytes], jobs: dict[str, RunState]) -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job(contents[0])
    for content in contents:
        for name, job in jobs.items():
            found[name].append(cpu_seconds(partial(job, content)))
    return {name: statistics.median(values) for name, values in found.items()}


def _deflated(content: bytes) -> bytes:
    place, parts = 8, []
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        if content[place + 4 : place + 8] == b"IDAT":
            parts.append(content[place + 8 : place + 8 + length])
        place += 12 + length
    return b"".join(parts)


def _inflaters() -> dict[str, RunState]:
    found: dict[str, RunState] = {"inflate alone, zlib": zlib.decompress}
    try:
        from isal import isal_zlib
    except ImportError:
        return found
    return found | {"inflate alone, ISA-L (the fastest known)": isal_zlib.decompress}
