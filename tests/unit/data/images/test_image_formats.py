"""What a file is, which way is up, and how bright 16 bits are: right, or a reason."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from finding_nemo.core.errors import ImageError
from finding_nemo.data.images.decode import decode_image

GREY = np.linspace(0, 4095, 20 * 30).reshape(20, 30).astype(np.uint16)
COLOURS = np.stack([GREY, GREY[::-1], GREY], axis=-1)


def saved(image: np.ndarray | Image.Image, form: str, **options: Any) -> bytes:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "is EPS, not one of"),
        (b"\xc5\xd0\xd3\xc6" + bytes(40), "is EPS, not one of"),
        (b"%PDF-1.7\n", "is PDF, not one of the formats that are read"),
        (b"\0\0\0\x1cftypavif\0\0\0\0" + bytes(40), "is AVIF, not one of"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "is HEIC, not one of"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "is an MP4 or QuickTime video, not one of"),
        (b"<!DOCTYPE html><html>404</html>", "is an HTML page, not one of"),
        (b"<svg xmlns='x'/>", "is SVG, not one of"),
        (b"8BPS\0\1", "is PSD, not one of"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        (bytes(5000), "begins with zeros only"),
        (b"MZ\x90\0", "is not an image that can be read"),
    ],
)
def test_other_formats__are_named_and_not_opened(content: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode_image(content)


def test_eps_under_jpg__starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = tmp_path / "called"
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {called}\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    frame = tmp_path / "frame.jpg"
    frame.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(ImageError, match="is EPS"):
        decode_image(frame)
    assert not called.exists()


@pytest.mark.skipif(not features.check("avif"), reason="a Pillow without AVIF cannot make one")
def test_avif__whole_or_damaged_is_a_reason() -> None:
    whole = saved(np.full((40, 40, 3), 90, dtype=np.uint8), "AVIF")
    for content in (whole, whole[: len(whole) // 2], whole[:100] + bytes(40) + whole[140:]):
        with pytest.raises(ImageError, match="is AVIF, not one of the formats that are read"):
            decode_image(content)


def test_name__decides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(saved(np.full((3, 4, 3), 77, dtype=np.uint8), "PNG"))
    assert (decode_image(path).pixels == 77).all()


def _exif(entries: list[tuple[int, int, int, bytes]], tail: bytes = b"") -> bytes:
    out = b"II*\0" + struct.pack("<LH", 8, len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack("<HHL", tag, kind, count) + value[:4].ljust(4, b"\0")
    return b"Exif\0\0" + out + struct.pack("<L", 0) + tail


TURNED = (0x0112, 3, 1, struct.pack("<H", 6))
OFFSET = struct.pack("<L", 8 + 2 + 24 + 4)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "block",
    [
        _exif([TURNED]),
        _exif([TURNED, (0x011A, 10, 1, OFFSET)], struct.pack("<ll", -1, 0)),
        _exif([TURNED, (0x011A, 2, 3, b"72\0")]),
        _exif([TURNED, (0x0100, 8, 1, struct.pack("<h", -5))]),
        _exif([TURNED, (0x8769, 4, 1, struct.pack("<L", 4_000_000_000))]),
        _exif([TURNED, (0x010F, 77, 9, b"\xff\xff\xff\xff")]),
    ],
    ids=["plain", "by zero", "text", "negative", "far folder", "unknown type"],
)
def test_odd_exif_entry__costs_neither_picture_nor_turn(form: str, block: bytes) -> None:
    pixels = np.zeros((16, 24, 3), dtype=np.uint8)
    pixels[:8, :8] = 250  # upper left; turned clockwise, upper right
    options = {"lossless": True} if form == "WEBP" else {}
    decoded = decode_image(saved(pixels, form, exif=block, **options))
    assert (decoded.width, decoded.height) == (16, 24)
    assert decoded.pixels[:8, 8:].mean() > 240
    assert decoded.pixels[8:].mean() < 10


@pytest.mark.parametrize(
    "entry",
    [
        (0x0112, 2, 2, b"6\0"),
        (0x0112, 5, 1, OFFSET),
        (0x0112, 3, 1, b"\x63\0"),
        (0x0112, 12, 1, OFFSET),
        (0x0112, 3, 0, b""),
    ],
)
def test_orientation_of_an_odd_kind__is_upright(entry: tuple[int, int, int, bytes]) -> None:
    pixels = np.zeros((16, 24, 3), dtype=np.uint8)
    decoded = decode_image(saved(pixels, "JPEG", exif=_exif([entry], bytes(16))))
    assert (decoded.width, decoded.height) == (24, 16)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_eight_orientations__are_pillows_own(form: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (16, 24, 3), dtype=np.uint8)
    for number in range(1, 9):
        block = _exif([(0x0112, 3, 1, struct.pack("<H", number))])
        options: dict[str, Any] = {"exif": block} if form != "TIFF" else {"tiffinfo": {274: number}}
        content = saved(pixels, form, **options)
        with Image.open(io.BytesIO(content)) as image:
            expected = np.asarray(ImageOps.exif_transpose(image))
        np.testing.assert_array_equal(decode_image(content).pixels, expected)


def png(values: np.ndarray, bits: int | None = None) -> bytes:
    """Return a PNG of 16 bits a channel, with the significant bits that are stated."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    height, width = values.shape[:2]
    n = 1 if values.ndim == 2 else values.shape[2]
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[n], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    stated = b"" if bits is None else chunk(b"sBIT", bytes([bits] * n))
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + stated + body


def tiff(values: np.ndarray, *, planes_apart: bool = False, **tags: tuple[int, ...]) -> bytes:
    """Return an uncompressed little-endian TIFF of 16 bits; tags as t281=(4095,)."""
    height, width = values.shape[:2]
    n = 1 if values.ndim == 2 else values.shape[2]
    planes = [values[..., k] for k in range(n)] if planes_apart else [values]
    data = [np.ascontiguousarray(plane).astype("<u2").tobytes() for plane in planes]
    entries = {256: (width,), 257: (height,), 258: (16,) * n, 259: (1,), 262: (1 if n == 1 else 2,),
               277: (n,), 278: (height,), 284: (2 if planes_apart else 1,),
               279: tuple(map(len, data))}  # fmt: skip
    entries |= {int(name[1:]): value for name, value in tags.items()}
    start = 8 + 2 + 12 * (len(entries) + 1) + 4 + 4 * 12
    entries[273] = tuple(start + sum(map(len, data[:k])) for k in range(len(data)))
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    behind, place = b"", 8 + 2 + 12 * len(entries) + 4
    for tag, numbers in sorted(entries.items()):
        kind, code = (4, "I") if tag in (273, 279) else (3, "H")
        packed = struct.pack(f"<{len(numbers)}{code}", *numbers)
        if len(packed) > 4:
            packed, behind = (
                struct.pack("<I", place + len(behind)),
                behind + packed.ljust(12, b"\0"),
            )
        head += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    return (head + struct.pack("<I", 0) + behind).ljust(start, b"\0") + b"".join(data)


def eight(values: np.ndarray, largest: int) -> np.ndarray:
    return np.round(values.astype(float) * 255 / largest).astype(int)


@pytest.mark.parametrize(
    ("content", "largest"),
    [
        (png(GREY * 16), 65535),
        (png(GREY, bits=12), 4095),
        (png(GREY * 16, bits=12), 65535),
        (png(GREY // 16, bits=8), 255),
        (png(GREY, bits=16), 65535),
        (png(GREY // 40 * 257), 65535),
        (png(GREY // 64 * 16), 65535),
        (tiff(GREY * 16), 65535),
        (tiff(GREY, t281=(4095,)), 4095),
        (b"P5 30 20 4095\n" + GREY.astype(">u2").tobytes(), 4095),
    ],
    ids=range(10),
)
def test_sixteen_bit_grey__is_as_bright_as_it_states(content: bytes, largest: int) -> None:
    stored = {4095: GREY, 255: GREY // 16}.get(largest)
    decoded = decode_image(content).pixels[..., 0].astype(int)
    if stored is None:
        image = np.asarray(Image.open(io.BytesIO(content)))
        stored = image.astype(np.int64)
    assert np.abs(decoded - eight(stored, largest)).max() <= 1


@pytest.mark.parametrize(
    ("content", "bits"),
    [
        (png(GREY), 12),
        (png(GREY // 16), 8),
        (png(GREY // 4), 10),
        (png(GREY * 4 - GREY // 4), 14),
        (png(COLOURS), 12),
        (png(COLOURS // 16), 8),
        (tiff(GREY), 12),
        (tiff(COLOURS), 12),
        (tiff(GREY, t281=(4000,)), 12),
        (b"P5 30 20 65535\n" + GREY.astype(">u2").tobytes(), 12),
        (b"P6 30 20 65535\n" + COLOURS.astype(">u2").tobytes(), 12),
    ],
    ids=range(11),
)
def test_fewer_bits_in_sixteen__that_are_not_stated_are_refused(content: bytes, bits: int) -> None:
    with pytest.raises(ImageError, match=rf"of 65535 only: all of a camera's {bits} bits, or a da"):
        decode_image(content)


@pytest.mark.parametrize("make", [png, tiff])
def test_sixteen_bit_colours__keep_their_upper_bytes(make: Any) -> None:
    np.testing.assert_array_equal(decode_image(make(COLOURS * 16)).pixels, COLOURS * 16 >> 8)
    assert decode_image(make(COLOURS * 0)).pixels.max() == 0
    # Dark, but scaled: the lower bits are unused.
    dark = COLOURS // 64 * 16
    np.testing.assert_array_equal(decode_image(make(dark)).pixels, dark >> 8)


def test_colours_of_a_stated_smaller_range__are_refused() -> None:
    for content in (png(COLOURS, bits=12), tiff(COLOURS, t281=(4095,) * 3)):
        with pytest.raises(ImageError, match="go to 4095 only, which are not read; scale them"):
            decode_image(content)


def test_white_at_zero__is_turned_round() -> None:
    decoded = decode_image(tiff(GREY * 16, t262=(0,)))
    upright = decode_image(tiff(GREY * 16))
    np.testing.assert_array_equal(decoded.pixels, 255 - upright.pixels)


def test_planes_apart__of_eight_bits_are_read_and_of_sixteen_refused() -> None:
    with pytest.raises(ImageError, match="16-bit colours in planes apart, which are not read"):
        decode_image(tiff(COLOURS * 16, planes_apart=True))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (GREY.astype(np.float32), "floating-point pixels, whose range is unknown"),
        (GREY.astype(np.int32), "32-bit pixels, whose range is unknown"),
    ],
)
def test_pixels_without_a_range__are_refused(values: np.ndarray, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode_image(saved(values, "TIFF"))


def test_signed_pixels__are_refused() -> None:
    with pytest.raises(ImageError, match="signed pixels, whose range is unknown"):
        decode_image(tiff(GREY, t339=(2,)))


def test_first_of_several__pages_and_frames_is_read() -> None:
    first, second = (Image.new("RGB", (9, 7), colour) for colour in ((250, 10, 10), (10, 250, 10)))
    for form in ("TIFF", "GIF", "WEBP", "PNG"):
        options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
        content = saved(first, form, save_all=True, append_images=[second], **options)
        assert np.abs(decode_image(content).pixels.astype(int) - (250, 10, 10)).max() <= 8, form


def test_lab__is_converted() -> None:
    red = Image.new("LAB", (9, 7), (137, 208, 195))  # L 53.7, a 80, b 67: sRGB's red
    found = decode_image(saved(red, "TIFF")).pixels[0, 0].astype(int)
    assert np.abs(found - (255, 0, 0)).max() <= 12
