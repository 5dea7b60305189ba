"""Large frames: reduced while they are decoded, and still the frame that they were."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.formats import png_decoder as png_files
from finding_nemo.data.images.formats.png_decoder import decode_plain_png
from finding_nemo.data.images.reduction import reduced, reduction_for
from finding_nemo.data.images.resize import decode_resized, resize_pixels

SPEC = Preprocessing(width_px=32, height_px=24)


def smooth_frame(width: int, height: int) -> np.ndarray:
    """Water with a few soft animals, as a camera gives it: smooth, with a little noise."""
    rng = np.random.default_rng(width)
    cells = (max(height // 40, 2), max(width // 40, 2), 3)
    small = rng.integers(30, 220, cells, dtype=np.uint8)
    large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(large).astype(int) + rng.integers(-2, 3, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def encoded(pixels: np.ndarray, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("size", "at_least", "factor"),
    [
        ((1920, 1080), (224, 224), 4),
        ((1920, 1080), (448, 448), 2),
        ((1920, 1080), (640, 640), 1),
        ((480, 270), (224, 224), 1),
        ((7680, 4320), (224, 224), 8),
        ((448, 448), (224, 224), 2),
        ((447, 448), (224, 224), 1),
        ((1920, 1080), None, 1),
    ],
)
def test_factor__worked_by_hand(
    size: tuple[int, int], at_least: tuple[int, int] | None, factor: int
) -> None:
    assert reduction_for(*size, at_least) == factor


def test_reduced__is_the_mean_of_each_block() -> None:
    pixels = smooth_frame(64, 48)
    found = np.asarray(reduced(Image.fromarray(pixels), (16, 12)))
    slow = pixels.reshape(12, 4, 16, 4, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(found - slow).max() <= 0.5


@pytest.mark.parametrize(("form", "tolerance"), [("PNG", 0.0), ("BMP", 0.0), ("JPEG", 1.0)])
def test_decode_resized__is_decode_and_then_resize(form: str, tolerance: float) -> None:
    content = encoded(smooth_frame(320, 240), form, **({"quality": 90} if form == "JPEG" else {}))
    found = decode_resized(content, SPEC)
    slow = resize_pixels(decode_image(content).pixels, width_px=32, height_px=24)
    assert (found.width, found.height, found.pixels.shape) == (320, 240, (24, 32, 3))
    assert np.abs(found.pixels.astype(int) - slow).mean() <= tolerance


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_decode_resized__stays_near_the_plain_antialiased_resize(form: str) -> None:
    content = encoded(smooth_frame(320, 240), form)
    plain = Image.open(io.BytesIO(content)).resize((32, 24), Image.Resampling.BILINEAR)
    found = decode_resized(content, SPEC).pixels
    assert np.abs(found.astype(int) - np.asarray(plain)).mean() < 1


def test_rotated_jpeg__is_upright_and_reduced() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = smooth_frame(320, 240)
    turned = decode_resized(encoded(pixels, "JPEG", exif=exif), SPEC)
    assert (turned.width, turned.height) == (240, 320)
    upright = decode_resized(encoded(np.rot90(pixels, -1).copy(), "JPEG"), SPEC)
    assert np.abs(turned.pixels.astype(int) - upright.pixels).mean() < 1


def test_at_least__keeps_the_size_of_the_whole_frame() -> None:
    decoded = decode_image(encoded(smooth_frame(320, 240), "JPEG"), at_least=(70, 60))
    assert (decoded.width, decoded.height, decoded.pixels.shape) == (320, 240, (60, 80, 3))


def test_fast_png__has_pillows_pixels_for_every_filter() -> None:
    pytest.importorskip("kornia_rs")
    for pixels in (smooth_frame(64, 48), np.random.default_rng(0).integers(0, 256, (7, 5, 3))):
        content = encoded(pixels.astype(np.uint8), "PNG")
        np.testing.assert_array_equal(decode_plain_png(content, max_pixels=10_000), pixels)


def test_fast_png__leaves_everything_else_to_pillow() -> None:
    pytest.importorskip("kornia_rs")
    pixels = smooth_frame(64, 48)
    whole = encoded(pixels, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 3
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x tiff:Orientation='3'/>")
    others = [
        encoded(pixels[..., 0], "PNG"),
        encoded(pixels, "JPEG"),
        encoded(pixels, "PNG", exif=exif),
        encoded(pixels, "PNG", pnginfo=text),
        encoded(pixels, "PNG", transparency=(1, 2, 3)),
        *(whole[:length] for length in range(0, len(whole) - 1, 97)),
    ]
    assert [decode_plain_png(content, max_pixels=10_000) for content in others] == [None] * len(
        others
    )
    assert decode_plain_png(whole, max_pixels=64 * 48 - 1) is None
    turned = decode_image(others[2]).pixels
    np.testing.assert_array_equal(turned, pixels[::-1, ::-1])


def test_without_the_fast_decoder__pixels_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(smooth_frame(320, 240), "PNG")
    fast = decode_resized(content, SPEC).pixels
    monkeypatch.setattr(png_files, "_fast", None)
    np.testing.assert_array_equal(decode_resized(content, SPEC).pixels, fast)


def test_bytes__are_refused_with_the_words_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"is empty \(0 bytes\)"):
        decode_image(b"")
    half = encoded(smooth_frame(64, 48), "JPEG")[:700]
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode_resized(half, SPEC)
