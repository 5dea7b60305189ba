"""What one image may cost: bytes, pixels, scans, memory; and only regular files."""

from __future__ import annotations

import io
import os
import struct
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.data.images import decode as images
from finding_nemo.data.images import large_frames
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.large_frames import one_at_a_time
from finding_nemo.data.images.pixel_forms import converted, to_rgb


def saved(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def test_large_file__is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.jpg"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)  # sparse: takes no disk
    started = time.monotonic()
    with pytest.raises(ImageError, match=r"is 3000 MB, more than the 512 MB that are read \(--max"):
        decode_image(path)
    assert time.monotonic() - started < 2


def test_limit_of_bytes__holds_for_files_and_bytes_alike(tmp_path: Path) -> None:
    content = saved(Image.new("RGB", (4, 4)))
    path = tmp_path / "x.png"
    path.write_bytes(content)
    for source in (path, content):
        exact = InputLimits(max_file_bytes=len(content))
        assert decode_image(source, limits=exact).width == 4
        with pytest.raises(ImageError, match="that are read"):
            decode_image(source, limits=InputLimits(max_file_bytes=len(content) - 1))


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes")
def test_what_is_no_regular_file__is_a_reason_and_no_wait(tmp_path: Path) -> None:
    pipe, link, loop = tmp_path / "p.jpg", tmp_path / "zero.jpg", tmp_path / "loop.jpg"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    loop.symlink_to(loop)
    (tmp_path / "far.jpg").symlink_to(pipe)
    for path, reason in (
        (pipe, "is a named pipe, not a file"),
        (tmp_path / "far.jpg", "is a named pipe, not a file"),
        (link, "is a device, not a file"),
        (loop, "cannot be read (Too many levels of symbolic links)"),
        (tmp_path, "is a folder, not an image"),
        (tmp_path / "x" / "y.jpg", "file not found"),
        (Path("a\0b.jpg"), "cannot be read (its name is no path: ValueError)"),
    ):
        with pytest.raises(ImageError) as found:
            decode_image(path)
        assert str(found.value) == reason


def test_link_to_a_file__is_read(tmp_path: Path) -> None:
    target = tmp_path / "t.png"
    target.write_bytes(saved(Image.new("RGB", (4, 4), (5, 6, 7))))
    (tmp_path / "l.png").symlink_to(target)
    assert decode_image(tmp_path / "l.png").pixels[0, 0].tolist() == [5, 6, 7]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM"])
def test_limit_of_pixels__holds_for_every_form(form: str) -> None:
    content = saved(Image.new("RGB", (50, 40)), form)
    assert decode_image(content, limits=InputLimits(max_pixels=2000)).width == 50
    with pytest.raises(ImageError, match="is 50 x 40 px, more than the 0.001999 megapixels that"):
        decode_image(content, limits=InputLimits(max_pixels=1999))


def test_limit_of_pixels__can_be_raised_above_pillows_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for form in ("PNG", "JPEG", "BMP", "PPM"):
        assert decode_image(saved(Image.new("RGB", (50, 40)), form)).width == 50
    with pytest.raises(ImageError, match="is larger than the 0 megapixels of its form that are"):
        decode_image(saved(Image.new("RGB", (50, 40)), "TIFF"))


def _many_scans(count: int) -> bytes:
    """Return a progressive JPEG whose last pass is sent again and again."""
    content = saved(Image.effect_noise((64, 64), 40).convert("RGB"), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * count + b"\xff\xd9"


def test_scans__are_counted_before_anything_is_decoded() -> None:
    started = time.monotonic()
    with pytest.raises(ImageError, match="has more than the 100 scans that are decoded"):
        decode_image(_many_scans(2000))
    assert time.monotonic() - started < 2
    with pytest.raises(ImageError, match="has more than the 9 scans"):
        decode_image(_many_scans(0), limits=InputLimits(max_scans=9))
    assert decode_image(_many_scans(0), limits=InputLimits(max_scans=10)).width == 64


def test_scans_over_a_large_frame__are_bounded_together() -> None:
    limits = InputLimits(max_pixels=4096, max_scans=100)
    with pytest.raises(ImageError, match="has 30 scans over 64 x 64 px, more than are decoded"):
        decode_image(_many_scans(20), limits=limits)


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_millions_of_chunks_or_markers__are_refused_at_once() -> None:
    started = time.monotonic()
    head = (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    content = _png([head]) + _png([(b"tIME", b"")])[8:] * 300_000
    with pytest.raises(ImageError, match="more than the 200000 chunks"):
        decode_image(content)
    with pytest.raises(ImageError, match="more markers than a JPEG can use"):
        decode_image(b"\xff\xd8" + b"\xff\xfe\0\2" * 300_000)
    assert time.monotonic() - started < 5


def test_no_memory__is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(images, "reduced", failing)
    with pytest.raises(ImageError) as found:
        decode_image(saved(Image.new("RGB", (50, 40))))
    assert str(found.value) == "does not fit the memory that is free"


@pytest.mark.parametrize("kind", [RuntimeError, RecursionError, AssertionError, struct.error])
def test_any_fault_of_a_decoder__is_a_reason(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise kind

    monkeypatch.setattr(images, "opened", failing)
    with pytest.raises(ImageError) as found:
        decode_image(saved(Image.new("RGB", (50, 40)), "BMP"))
    assert str(found.value) == f"is truncated or damaged ({kind.__name__})"


def test_a_persons_stop__passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "opened", stopped)
    with pytest.raises(KeyboardInterrupt):
        decode_image(saved(Image.new("RGB", (50, 40)), "BMP"))


def test_large_frames__are_taken_one_at_a_time() -> None:
    inside: list[int] = []
    most: list[int] = []

    def take(n_px: int) -> None:
        with one_at_a_time(n_px), one_at_a_time(n_px):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    for n_px, expected in ((large_frames.LARGE_PX + 1, 1), (large_frames.LARGE_PX, 4)):
        most.clear()
        threads = [threading.Thread(target=take, args=(n_px,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(most) == expected or (expected > 1 and max(most) > 1)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1"])
@pytest.mark.parametrize("at_least", [None, (30, 20)])
def test_strips__give_the_pixels_of_the_whole(
    mode: str, at_least: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (133, 141, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    whole = np.asarray(converted(image, to_rgb, at_least=at_least))
    monkeypatch.setattr("finding_nemo.data.images.pixel_forms._STRIP_PX", 4000)
    np.testing.assert_array_equal(converted(image, to_rgb, at_least=at_least), whole)
