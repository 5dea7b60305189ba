"""One decoder: what it makes of every kind of file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.resize import preprocess, resize_pixels

_GRADIENT = np.linspace(0, 255, 12 * 8).reshape(8, 12).astype(np.uint8)


def _save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type] # Pillow's options differ by format
    return path


def test_grey__has_three_equal_channels(tmp_path: Path) -> None:
    decoded = decode_image(_save(tmp_path / "x.png", Image.fromarray(_GRADIENT)))
    assert (decoded.width, decoded.height) == (12, 8)
    assert (decoded.pixels == _GRADIENT[..., np.newaxis]).all()


def test_sixteen_bit__is_scaled_not_clipped(tmp_path: Path) -> None:
    values = (_GRADIENT.astype(np.uint16) * 257).astype(np.uint16)
    decoded = decode_image(_save(tmp_path / "x.png", Image.fromarray(values)))
    assert (decoded.pixels[..., 0] == _GRADIENT).all()


def test_palette_and_cmyk__become_rgb(tmp_path: Path) -> None:
    red = Image.new("RGB", (4, 3), (200, 10, 20))
    palette = decode_image(_save(tmp_path / "p.png", red.convert("P")))
    assert palette.pixels.shape == (3, 4, 3)
    cmyk = decode_image(_save(tmp_path / "c.jpg", red.convert("CMYK"), quality=95))
    assert np.abs(cmyk.pixels.astype(int) - (200, 10, 20)).max() < 12


def test_transparent__lies_over_black(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (2, 2), (255, 255, 255, 0))
    assert decode_image(_save(tmp_path / "x.png", clear)).pixels.max() == 0


def test_exif_rotation__is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = _save(tmp_path / "x.jpg", Image.fromarray(_GRADIENT), exif=exif)
    decoded = decode_image(path)
    assert (decoded.width, decoded.height) == (8, 12)


def test_one_pixel__is_an_image(tmp_path: Path) -> None:
    decoded = decode_image(_save(tmp_path / "x.png", Image.new("RGB", (1, 1), (9, 8, 7))))
    assert decoded.pixels.tolist() == [[[9, 8, 7]]]
    assert preprocess(decoded.pixels, Preprocessing(width_px=5, height_px=4)).shape == (3, 4, 5)


def _bomb(path: Path) -> Path:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def _truncated(path: Path, suffix: str) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = _save(path.with_suffix(suffix), Image.fromarray(noise))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return whole


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda p: p, "file not found", id="absent"),
        pytest.param(lambda p: _written(p, b""), r"is empty \(0 bytes\)", id="zero-byte"),
        pytest.param(lambda p: _written(p, b"hello"), "is not an image", id="text"),
        pytest.param(lambda p: _truncated(p, ".jpg"), "truncated or damaged", id="half-jpeg"),
        pytest.param(lambda p: _truncated(p, ".png"), "truncated or damaged", id="half-png"),
        pytest.param(_bomb, "20000 x 20000 px|100 megapixels", id="bomb"),
        pytest.param(_folder, "is a folder", id="folder"),
    ],
)
def test_decode__says_why_a_file_cannot_be_used(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    with pytest.raises(ImageError, match=message):
        decode_image(make(tmp_path / "x.png"))


def test_float_pixels__are_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "x.tif", Image.fromarray(_GRADIENT.astype(np.float32)))
    with pytest.raises(ImageError, match="floating-point"):
        decode_image(path)


def test_resize__averages_over_the_pixels_that_it_drops() -> None:
    stripes = np.zeros((8, 8, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    shrunk = resize_pixels(stripes, width_px=2, height_px=2)
    assert np.abs(shrunk.astype(int) - 100).max() <= 30


def test_preprocess__normalises_each_channel_worked_by_hand() -> None:
    pixels = np.full((2, 2, 3), (255, 0, 51), dtype=np.uint8)
    spec = Preprocessing(width_px=2, height_px=2, mean=(0.5, 0.5, 0.1), std=(0.5, 0.25, 0.1))
    expected = np.array([1.0, -2.0, 1.0], dtype=np.float32)
    out = preprocess(pixels, spec)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[:, 0, 0], expected, atol=1e-6)
