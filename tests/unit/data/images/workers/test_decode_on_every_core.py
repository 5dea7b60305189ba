from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.resize import decode_resized
from finding_nemo.data.images.workers import decode_on_every_core as module
from finding_nemo.data.images.workers.decode_on_every_core import (
    DecodingWorkers,
    decode_on_every_core,
    is_for_workers,
    start_ahead_of,
)
from finding_nemo.data.images.workers.decode_request import (
    answer_decode_request,
    decode_request,
    decoded_image,
)

SPEC = Preprocessing(width_px=96, height_px=64, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3))
WIDTH, HEIGHT = 640, 480


def encoded(pixels: Pixels, form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, form)
    return content.getvalue()


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def png(pixels: Pixels) -> bytes:
    return encoded(pixels)


@pytest.fixture(scope="module")
def workers(png: bytes) -> Iterator[DecodingWorkers]:
    workers = DecodingWorkers(2, before_start=1)
    assert [workers.decode(png, SPEC, USUAL_LIMITS) for _ in range(2)] == [None, None]
    wait_for(workers, 2)
    yield workers
    workers.close()
    assert workers.decode(png, SPEC, USUAL_LIMITS) is None


def wait_for(workers: DecodingWorkers, n_free: int) -> None:
    until = time.monotonic() + 60
    while workers.n_free < n_free and time.monotonic() < until:
        time.sleep(0.01)
    assert workers.n_free == n_free


def test_a_worker__returns_the_pixels_of_decode_resized(
    workers: DecodingWorkers, png: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "dive $1$ \u00e9\U0001f41f.png"
    path.write_bytes(png)
    wanted = decode_resized(png, SPEC)
    for source in (png, path):
        found = workers.decode(source, SPEC, USUAL_LIMITS)
        assert found is not None
        np.testing.assert_array_equal(found.pixels, wanted.pixels)
        assert (found.width, found.height) == (WIDTH, HEIGHT)


def test_a_worker__refuses_in_the_same_words(
    workers: DecodingWorkers, png: bytes, tmp_path: Path
) -> None:
    small = replace(USUAL_LIMITS, max_pixels=1000)
    damaged = bytearray(png)
    damaged[len(png) // 2] ^= 1
    cases: list[tuple[Path | bytes, InputLimits]] = [
        (png[: len(png) // 2], USUAL_LIMITS),
        (bytes(damaged), USUAL_LIMITS),
        (png, small),
        (tmp_path / "missing.png", USUAL_LIMITS),
    ]
    for source, limits in cases:
        with pytest.raises(ImageError) as here:
            decode_resized(source, SPEC, limits=limits)
        with pytest.raises(ImageError) as there:
            workers.decode(source, SPEC, limits)
        assert str(there.value) == str(here.value)


def test_a_worker_that_ended__is_replaced_by_the_caller(png: bytes) -> None:
    workers = DecodingWorkers(2, before_start=0)
    workers.decode(png, SPEC, USUAL_LIMITS)
    wait_for(workers, 2)
    for worker in workers._free:
        os.kill(worker.pid, signal.SIGTERM)
    for worker in workers._free:
        worker._process.wait()
    assert [workers.decode(png, SPEC, USUAL_LIMITS) for _ in range(3)] == [None] * 3
    assert workers.n_free == 0
    workers.close()


def test_one_core__starts_nothing(png: bytes) -> None:
    workers = DecodingWorkers(1, before_start=0)
    assert [workers.decode(png, SPEC, USUAL_LIMITS) for _ in range(3)] == [None] * 3
    assert workers.n_free == 0


def test_workers__start_once_and_early_for_what_takes_longer_than_their_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[DecodingWorkers] = []
    monkeypatch.setattr(DecodingWorkers, "_start", lambda workers: started.append(workers))

    def n_started(workers: DecodingWorkers) -> int:
        for thread in threading.enumerate():
            if thread.name == "decoder":
                thread.join()
        return started.count(workers)

    a_start_px = 25 * 1920 * 1080
    cases = [(2, 2 * a_start_px - 1, 0), (2, 2 * a_start_px, 2), (1, 10 * a_start_px, 0)]
    for n_workers, n_px, wanted in cases:
        workers = DecodingWorkers(n_workers)
        workers.start_for(n_px)
        assert n_started(workers) == wanted
    workers = DecodingWorkers(2, before_start=0)
    workers.start_for(2 * a_start_px)
    workers.start_for(2 * a_start_px)
    workers.decode(b"", SPEC, USUAL_LIMITS)
    assert n_started(workers) == 2
    closed = DecodingWorkers(2)
    closed.close()
    closed.start_for(2 * a_start_px)
    assert n_started(closed) == 0


def test_start_ahead_of__counts_the_pixels_of_all_images_like_the_first(
    png: bytes, pixels: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kornia_rs")
    ahead: list[int] = []
    monkeypatch.setattr(module._workers, "start_for", ahead.append)
    (tmp_path / "a.png").write_bytes(png)
    (tmp_path / "a.jpg").write_bytes(encoded(pixels, "JPEG"))
    for name in ("a.png", "a.jpg", "missing.png"):
        start_ahead_of(tmp_path / name, 100)
    assert ahead == [100 * WIDTH * HEIGHT]


def test_request_and_answer__hold_all_without_a_process(png: bytes) -> None:
    answer = answer_decode_request(decode_request(png, SPEC, USUAL_LIMITS))
    np.testing.assert_array_equal(decoded_image(answer).pixels, decode_resized(png, SPEC).pixels)
    answer = answer_decode_request(decode_request(b"", SPEC, USUAL_LIMITS))
    with pytest.raises(ImageError, match="is empty"):
        decoded_image(answer)


def test_only_ordinary_png_of_some_size__is_for_workers(
    pixels: Pixels, png: bytes, tmp_path: Path
) -> None:
    pytest.importorskip("kornia_rs")
    path = tmp_path / "a.jpg"  # by what it holds, whatever its name
    path.write_bytes(png)
    assert [is_for_workers(source) for source in (png, path)] == [True, True]
    others: list[Path | bytes] = [
        encoded(pixels, "JPEG"),
        encoded(pixels[..., 0]),
        encoded(pixels[:100, :100]),
        png[:20],
        b"",
        tmp_path,
        tmp_path / "missing.png",
        Path("bad\0name.png"),
    ]
    assert [is_for_workers(source) for source in others] == [False] * len(others)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe__is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert not is_for_workers(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="named pipe"):
        decode_on_every_core(tmp_path / "pipe.png", SPEC)


def test_decode_on_every_core__asks_workers_and_decodes_what_they_cannot(
    workers: DecodingWorkers, png: bytes, pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kornia_rs")
    monkeypatch.setattr(module, "_workers", workers)
    monkeypatch.setattr(module, "decode_resized", None)  # a worker's own is another
    wanted = decode_resized(png, SPEC).pixels
    np.testing.assert_array_equal(decode_on_every_core(png, SPEC).pixels, wanted)
    monkeypatch.undo()
    monkeypatch.setattr(module, "_workers", DecodingWorkers(0))
    np.testing.assert_array_equal(decode_on_every_core(png, SPEC).pixels, wanted)
    jpeg = encoded(pixels, "JPEG")
    np.testing.assert_array_equal(
        decode_on_every_core(jpeg, SPEC).pixels, decode_resized(jpeg, SPEC).pixels
    )
    assert decode_image(png).pixels.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process__lets_go_of_workers_that_are_not_its_own(png: bytes) -> None:
    workers = DecodingWorkers(2, before_start=0)
    workers.decode(png, SPEC, USUAL_LIMITS)
    wait_for(workers, 2)
    kept = list(workers._free)
    workers.forget()
    assert workers.n_free == 0
    for worker in kept:
        os.waitpid(worker.pid, 0)  # its input ended, so it did
