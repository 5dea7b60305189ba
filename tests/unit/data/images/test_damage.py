"""Half an image is no image: what was lost is noticed, and nothing whole is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import ImageError
from finding_nemo.data.images.decode import decode_image

END = b"\xff\xd9"


def frame(width: int = 320, height: int = 240, seed: int = 0) -> np.ndarray:
    """Water with a few soft animals and the noise of a camera."""
    rng = np.random.default_rng(seed)
    small = rng.integers(20, 200, (9, 12, 3), dtype=np.uint8)
    large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(large).astype(int) + rng.normal(0, 6, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def saved(pixels: np.ndarray | Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def cut(content: bytes, part: float) -> bytes:
    return content[: int(len(content) * part)] + END


def zeros_then_end(content: bytes, part: float) -> bytes:
    kept = int(len(content) * part)
    return content[:kept] + bytes(len(content) - kept - 2) + END


def hole(content: bytes, part: float) -> bytes:
    start = int(len(content) * part)
    return content[:start] + bytes(1500) + content[start + 1500 :]


def dropped(content: bytes, part: float) -> bytes:
    start = int(len(content) * part)
    return content[:start] + content[start + 512 :]


JPEG_FORMS: dict[str, dict[str, Any]] = {
    "baseline": {"quality": 90},
    "progressive": {"quality": 90, "progressive": True},
    "optimised": {"quality": 75, "optimize": True, "subsampling": 0},
    "restarts": {"quality": 90, "restart_marker_rows": 1},
}


@pytest.mark.parametrize("at_least", [None, (60, 50)], ids=["full", "reduced"])
@pytest.mark.parametrize("damage", [cut, zeros_then_end, hole, dropped])
@pytest.mark.parametrize("form", JPEG_FORMS)
def test_jpeg_that_lost_a_part__is_refused(
    form: str, damage: Callable[[bytes, float], bytes], at_least: tuple[int, int] | None
) -> None:
    content = saved(frame(), **JPEG_FORMS[form])
    assert decode_image(content, at_least=at_least).width == 320
    if form == "progressive" and damage in (hole, dropped):
        return  # a lost middle may leave blocks enough in a pass: 3 of 4 are noticed
    parts = (0.35, 0.5, 0.7) if damage in (hole, dropped) else (0.3, 0.5, 0.7, 0.95)
    for part in parts:
        with pytest.raises(ImageError, match="is truncated or damaged"):
            decode_image(damage(content, part), at_least=at_least)


@pytest.mark.parametrize("form", JPEG_FORMS)
def test_jpeg_cut_near_its_end__misses_some_blocks_and_is_refused(form: str) -> None:
    content = saved(frame(), **JPEG_FORMS[form])
    for n_bytes in (40, 100, 400):
        with pytest.raises(ImageError, match="a part of its coded data is missing"):
            decode_image(content[: -2 - n_bytes] + END)


def test_jpeg__says_what_it_lost() -> None:
    content = saved(frame(), quality=92)
    for broken, reason in (
        (cut(content, 0.5), "a part of its coded data is missing"),
        (zeros_then_end(content, 0.5), "a part of its coded data is missing"),
        (hole(content, 0.5), "289 zero bytes or more in its coded data, from byte 1"),
        (content[:-2] + content[-1500:-2] + END, "its coded data does not fit its size"),
    ):
        with pytest.raises(ImageError, match=reason):
            decode_image(broken)


def test_jpeg_that_lost_a_restart_marker__is_refused() -> None:
    content = saved(frame(), restart_marker_blocks=20)
    first = content.index(b"\xff\xd3")
    with pytest.raises(ImageError, match="13 restart markers where 14 belong, and out of order"):
        decode_image(content[:first] + content[first + 2 :])


def test_progressive_jpeg_without_its_last_pass__is_refused() -> None:
    content = saved(frame(), progressive=True)
    last = content.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="passes are missing: it has 9"):
        decode_image(content[:last] + END)


def _letterbox() -> np.ndarray:
    pixels = frame()
    pixels[:40] = 0
    pixels[-70:] = 0
    return pixels


WHOLE = {
    "frame": frame(),
    "letterbox": _letterbox(),
    "black": np.zeros((240, 320, 3), dtype=np.uint8),
    "grey": np.full((240, 320, 3), 128, dtype=np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8),
    "lower half black": np.vstack([frame()[:120], np.zeros((120, 320, 3), dtype=np.uint8)]),
    "odd size": frame(133, 71),
    "one pixel": frame(1, 1),
}


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 20},
        {"quality": 100, "subsampling": 0},
        {"subsampling": 1},
        {"optimize": True},
        {"progressive": True},
        {"progressive": True, "quality": 100},
        {"restart_marker_blocks": 1},
        {"restart_marker_blocks": 7, "progressive": True},
        {"restart_marker_rows": 1},
        {"restart_marker_rows": 2, "optimize": True},
        {"progressive": True, "restart_marker_rows": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_whole_jpeg__has_pillows_pixels(mode: str, options: dict[str, Any]) -> None:
    for name, pixels in WHOLE.items():
        content = saved(Image.fromarray(pixels).convert(mode), **options)
        expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        np.testing.assert_array_equal(decode_image(content).pixels, expected, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 1},
        {"quality": 80},
        {"quality": 100, "method": 0},
        {"lossless": True},
        {"lossless": True, "quality": 0, "method": 0},
    ],
    ids=str,
)
def test_whole_webp__has_pillows_pixels(options: dict[str, Any]) -> None:
    for name, pixels in WHOLE.items():
        content = saved(pixels, "WEBP", **options)
        expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        np.testing.assert_array_equal(decode_image(content).pixels, expected, err_msg=name)


def test_bytes_behind_the_end__harm_nothing() -> None:
    expected = decode_image(saved(frame())).pixels
    for behind in (b"\0" * 4096, saved(frame(seed=1)), b"\xff\xd8\xff\xda trailer"):
        np.testing.assert_array_equal(decode_image(saved(frame()) + behind).pixels, expected)


def test_fill_before_the_end__harms_nothing() -> None:
    content = saved(frame())
    for fill in (b"\0" * 600, b"\xff" * 70, b"\x12" * 30):
        found = decode_image(content[:-2] + fill + END).pixels
        np.testing.assert_array_equal(found, decode_image(content).pixels)


@pytest.mark.parametrize("options", [{"quality": 80}, {"lossless": True}], ids=str)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_webp_with_zeros__is_refused(options: dict[str, Any], part: float) -> None:
    content = saved(frame(), "WEBP", **options)
    kept = int(len(content) * part)
    for broken in (content[:kept], content[:kept] + bytes(len(content) - kept)):
        with pytest.raises(ImageError, match="is truncated or damaged"):
            decode_image(broken)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "jpeg"}),
        ("GIF", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_other_coded_forms__with_a_hole_or_without_a_tail_are_refused(
    form: str, options: dict[str, Any], mode: str
) -> None:
    content = saved(Image.fromarray(frame()).convert(mode), form, **options)
    middle = len(content) // 2
    for broken in (content[:middle], hole(content, 0.5), content[:middle] + bytes(middle)):
        with pytest.raises(ImageError, match="is truncated or damaged"):
            decode_image(broken)


@pytest.mark.parametrize("form", ["BMP", "PPM", "TIFF"])
def test_uncompressed_forms__that_end_early_are_refused(form: str) -> None:
    content = saved(frame(), form)
    for kept in (0.3, 0.99):
        with pytest.raises(ImageError, match="is truncated or damaged"):
            decode_image(content[: int(len(content) * kept)])


def test_changed_bit_of_a_png__is_noticed_in_every_mode() -> None:
    for mode in ("RGB", "L", "RGBA", "P"):
        content = bytearray(saved(Image.fromarray(frame()).convert(mode), "PNG"))
        content[len(content) // 2] ^= 4
        with pytest.raises(ImageError, match="is truncated or damaged"):
            decode_image(bytes(content))
