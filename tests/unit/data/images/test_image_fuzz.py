"""Files of every form that is read, whole and mutated: pixels or one reason, nothing else.

Twenty mutations of each form and EXIF block by default; more by hand:
`FINDING_NEMO_MUTATIONS=3000 pytest tests/unit/data/images/test_image_fuzz.py`.
"""

from __future__ import annotations

import io
import os
import random
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.data.images.decode import decode_image

MUTATIONS = int(os.environ.get("FINDING_NEMO_MUTATIONS", "20"))
# A mutated header may claim any size: none of these is worth seconds.
LIMITS = InputLimits(max_pixels=1_000_000)

Picture = np.ndarray


def scene(width: int = 40, height: int = 28, seed: int = 0) -> Picture:
    """Return a smooth frame with a little noise, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 220, (4, 5, 3), dtype=np.uint8)
    large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(large).astype(int) + rng.integers(-8, 9, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def saved(image: Image.Image | Picture, form: str, **options: Any) -> bytes:
    """Return `image` as a file."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def exif_block(entries: list[tuple[int, int, int, bytes]], tail: bytes = b"") -> bytes:
    """Return an EXIF block with these entries (tag, type, count, value or offset), as they are."""
    out = b"II*\0" + struct.pack("<LH", 8, len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack("<HHL", tag, kind, count) + value[:4].ljust(4, b"\0")
    return b"Exif\0\0" + out + struct.pack("<L", 0) + tail


def oriented(number: int) -> bytes:
    """Return an EXIF block that states one orientation."""
    return exif_block([(0x0112, 3, 1, struct.pack("<H", number))])


def _jpegs(rgb: Image.Image) -> dict[str, bytes]:
    mpo = io.BytesIO()
    rgb.save(mpo, "MPO", save_all=True, append_images=[rgb.transpose(Image.Transpose.ROTATE_180)])
    forms = {
        "jpeg": saved(rgb, "JPEG"),
        "jpeg-progressive": saved(rgb, "JPEG", progressive=True),
        "jpeg-optimised-444": saved(rgb, "JPEG", optimize=True, subsampling=0),
        "jpeg-grey": saved(rgb.convert("L"), "JPEG"),
        "jpeg-cmyk": saved(rgb.convert("CMYK"), "JPEG"),
        "jpeg-restarts": saved(rgb, "JPEG", restart_marker_blocks=2),
        "jpeg-progressive-restarts": saved(rgb, "JPEG", progressive=True, restart_marker_rows=1),
        "jpeg-mpo": mpo.getvalue(),
    }
    turns = {f"jpeg-turned-{n}": saved(rgb, "JPEG", exif=oriented(n)) for n in (3, 5, 6, 8)}
    return forms | turns


def _pngs(rgb: Image.Image) -> dict[str, bytes]:
    grey = np.asarray(rgb.convert("L"))
    wide = grey.astype(np.uint16) * 257
    return {
        "png": saved(rgb, "PNG"),
        "png-grey": saved(rgb.convert("L"), "PNG"),
        "png-one-bit": saved(rgb.convert("1"), "PNG"),
        "png-palette": saved(rgb.quantize(16), "PNG"),
        "png-palette-transparent": saved(rgb.quantize(8), "PNG", transparency=3),
        "png-rgba": saved(rgb.convert("RGBA"), "PNG"),
        "png-grey-alpha": saved(rgb.convert("LA"), "PNG"),
        "png-sixteen-bits": saved(wide, "PNG"),
        "png-exif": saved(rgb, "PNG", exif=oriented(6)),
    }


def _tiffs(rgb: Image.Image) -> dict[str, bytes]:
    wide = np.asarray(rgb.convert("L")).astype(np.uint16) * 257
    coded = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    forms = {f"tiff-{name}": saved(rgb, "TIFF", compression=name) for name in coded}
    return forms | {
        "tiff": saved(rgb, "TIFF"),
        "tiff-one-bit": saved(rgb.convert("1"), "TIFF", compression="group4"),
        "tiff-sixteen-bits": saved(wide, "TIFF"),
        "tiff-big-endian": saved(wide.astype(">u2"), "TIFF"),
        "tiff-turned": saved(rgb, "TIFF", tiffinfo={274: 6}),
    }


def _others(rgb: Image.Image) -> dict[str, bytes]:
    rgba = rgb.convert("RGBA")
    rgba.putalpha(rgb.convert("L"))
    second = rgb.transpose(Image.Transpose.ROTATE_180)
    wide = np.asarray(rgb.convert("L")).astype(np.uint16) * 257
    return {
        "webp": saved(rgb, "WEBP"),
        "webp-lossless": saved(rgb, "WEBP", lossless=True),
        "webp-alpha": saved(rgba, "WEBP"),
        "webp-animated": saved(rgb, "WEBP", save_all=True, append_images=[second]),
        "bmp": saved(rgb, "BMP"),
        "bmp-palette": saved(rgb.quantize(16), "BMP"),
        "bmp-one-bit": saved(rgb.convert("1"), "BMP"),
        "bmp-rgba": saved(rgba, "BMP"),
        "bmp-runs": runs_bmp(np.asarray(rgb.convert("L")) // 64),
        "gif": saved(rgb.quantize(64), "GIF"),
        "gif-animated": saved(rgb.quantize(8), "GIF", save_all=True, append_images=[second]),
        "ppm": saved(rgb, "PPM"),
        "pgm": saved(rgb.convert("L"), "PPM"),
        "pbm": saved(rgb.convert("1"), "PPM"),
        "pgm-sixteen-bits": saved(Image.fromarray(wide.astype(np.int32)), "PPM"),
        "ppm-plain": b"P3 4 2 255\n" + b" ".join(b"%d" % v for v in range(24)),
    }


def runs_bmp(values: Picture) -> bytes:
    """Return a run-length coded BMP of a palette of 4 greys."""
    height, width = values.shape
    runs = b""
    for row in values[::-1]:
        ends = [*(np.flatnonzero(np.diff(row)) + 1).tolist(), width]
        starts = [0, *ends[:-1]]
        pairs = zip(starts, ends, strict=True)
        runs += b"".join(bytes((end - start, row[start])) for start, end in pairs) + b"\0\0"
    runs += b"\0\1"
    palette = b"".join(bytes((85 * k, 85 * k, 85 * k, 0)) for k in range(4))
    start = 54 + len(palette)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 4, 4)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + head + palette + runs


def all_forms() -> dict[str, bytes]:
    """Return a file of each form, by name."""
    rgb = Image.fromarray(scene())
    return _jpegs(rgb) | _pngs(rgb) | _tiffs(rgb) | _others(rgb)


FORMS = all_forms()


@pytest.mark.parametrize("name", FORMS)
def test_every_form__is_read_whole(name: str) -> None:
    decoded = decode_image(FORMS[name])
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)
    if name in ("ppm-plain", "bmp-runs") or "one-bit" in name or name == "pbm":
        return
    turned = "turned" in name or name == "png-exif"
    if not turned and "transparent" not in name and "alpha" not in name and name != "bmp-rgba":
        grey = np.asarray(Image.fromarray(scene()).convert("L")).astype(int)
        found = np.asarray(Image.fromarray(decoded.pixels).convert("L")).astype(int)
        assert np.abs(found - grey).mean() < 12


def _mutated(content: bytes, chance: random.Random) -> bytes:
    """Return `content` with a few bytes changed, removed, doubled or zeroed, or cut short."""
    out = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        place = (
            chance.randrange(len(out))
            if chance.random() < 0.5
            else chance.randrange(min(len(out), 64))
        )
        length = chance.choice((1, 1, 2, 4, 16, 200))
        kind = chance.randrange(6)
        if kind == 0:
            out[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[place : place + length] = chance.randbytes(length)
        elif kind == 2:
            del out[place : place + length]
        elif kind == 3:
            out[place:place] = out[place : place + length]
        elif kind == 4:
            out[place : place + length] = chance.choice((b"\0", b"\xff")) * length
        else:
            del out[max(place, 1) :]
        if not out:
            return b"\0"
    return bytes(out)


def _said(content: bytes) -> str:
    """Decode in both ways; return "" for pixels, else the reason. Anything else is a fault."""
    said = ""
    for at_least in (None, (5, 3)):
        try:
            decoded = decode_image(content, at_least=at_least, limits=LIMITS)
        except ImageError as error:
            said = str(error)
            assert said.strip()
            assert not said.endswith("()")
            assert "Traceback" not in said
        else:
            assert decoded.pixels.dtype == np.uint8
            assert decoded.pixels.ndim == 3
    return said


@pytest.mark.parametrize("name", FORMS)
def test_mutated_file__is_pixels_or_a_reason(name: str) -> None:
    chance = random.Random(name)  # noqa: S311
    for _ in range(MUTATIONS):
        _said(_mutated(FORMS[name], chance))


def _odd_block(chance: random.Random) -> bytes:
    """Return an EXIF block of entries with any type, count and value, some of them mutated."""
    tags = (0x0112, 0x011A, 0x0100, 0x0132, 0x8769, 0x8825, 0x9286, 0xA005, 0x010F, 0x014A)
    entries = [
        (chance.choice(tags), chance.randrange(0, 19), chance.choice((0, 1, 2, 9, 2**31)),
         chance.choice((b"\6\0\0\0", b"\xff" * 4, chance.randbytes(4), b"\x26\0\0\0")))
        for _ in range(chance.randrange(1, 6))
    ]  # fmt: skip
    block = exif_block(entries, chance.randbytes(32))
    return block if chance.random() < 0.5 else b"Exif\0\0" + _mutated(block[6:], chance)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_any_exif_block__costs_no_picture(form: str) -> None:
    picture, chance = scene(), random.Random(form)  # noqa: S311
    for _ in range(MUTATIONS):
        content = saved(picture, form, exif=_odd_block(chance))
        decoded = decode_image(content)
        assert {decoded.width, decoded.height} == {40, 28}
