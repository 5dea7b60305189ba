"""Frames dropped on the page of a bundle: named as they arrive, failures in words."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from PIL import Image

# Of conftest.py: a server, and what opens a page.
Server: TypeAlias = Any
OpenReview: TypeAlias = Callable[..., Any]

_ODD = "<img src=x onerror=alert(1)>\"'&.png"
_DROP = """([files, dragged]) => {
  const transfer = new DataTransfer();
  for (const [name, coded] of files) {
    const bytes = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type: "image/png"}));
  }
  const target = document.getElementById("drop");
  for (const kind of dragged)
    target.dispatchEvent(
      new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: transfer})
    );
}"""


@pytest.fixture
def server(bundle_with_maps: Path, start_server: Callable[..., Server], tmp_path: Path) -> Server:
    return start_server("serve", bundle_with_maps, "--folder", tmp_path / "session")


def drawn(seed: int) -> bytes:
    """Return a PNG that differs from others."""
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((320, 240)).save(stream, "PNG")
    return stream.getvalue()


def drop(page: Any, files: dict[str, bytes]) -> None:
    """Drag files over the page and let go."""
    coded = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    page.evaluate(_DROP, [coded, ["dragenter", "dragover"]])
    page.wait_for_selector("#drop-over:not([hidden])")
    page.evaluate(_DROP, [coded, ["drop"]])


def test_three_dropped_frames__two_are_named_and_one_says_why_not(
    server: Server, open_review: OpenReview
) -> None:
    page = open_review(server.url).page
    page.wait_for_selector("#drop:not([hidden])")
    page.wait_for_selector("#nothing:has-text('No frame yet')")
    drop(page, {"a.png": drawn(1), _ODD: drawn(2), "broken.png": drawn(3)[:300]})
    page.wait_for_selector(".upload-words:has-text('3 of 3 files, 1 file could not be read.')")
    assert "broken.png" in page.locator(".failures li").inner_text()
    page.wait_for_selector("#count:has-text('3 frames')")
    page.wait_for_selector(".cell.failed")
    assert page.locator(".cell .badge").count() == 2
    page.wait_for_selector(".cell img:not([hidden])")
    page.locator(".cell:not(.failed) button").first.click()
    page.wait_for_selector(".guess")
    assert page.locator(".guess").count() == 20
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".stage .map:not([hidden])")
    assert page.locator(".stage .map").evaluate("image => image.naturalWidth") == 15
    page.keyboard.press("h")
    page.wait_for_selector(".stage .map", state="hidden")

    # A review of a dropped frame is kept as any other, and outlives the page and the server.
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Saved: animal')")
    server.stop()
    server.start()
    page.reload()
    page.wait_for_selector(".badge.done")
    page.keyboard.press("Escape")
    page.wait_for_selector("#count:has-text('3 frames')")
    page.select_option("#state", "failed")
    page.wait_for_selector("#count:has-text('1 of 3 frames')")


def test_busy_server__is_waited_for_and_one_that_is_gone_asked_again(
    server: Server, open_review: OpenReview
) -> None:
    one = open_review(server.url)
    page = one.page
    page.wait_for_selector("#drop:not([hidden])")
    answers = iter(["busy", "busy", "gone"])

    def stand_in(route: Any) -> None:
        told = next(answers, None) if route.request.method == "POST" else None
        if told == "busy":
            error = {"error": {"what": "Too many frames wait.", "wanted": "", "do": "Wait."}}
            route.fulfill(status=429, headers={"Retry-After": "1"}, json=error)
        elif told == "gone":
            route.abort()
        else:
            route.continue_()

    page.route("**/frames", stand_in)
    page.set_input_files(
        "#files",
        [{"name": f"{n}.png", "mimeType": "image/png", "buffer": drawn(n)} for n in range(6)],
    )
    page.wait_for_selector(".unsent:has-text('not sent')")
    page.click(".unsent button")
    page.wait_for_selector(".upload-words:has-text('6 of 6 files.')")
    page.wait_for_selector("#count:has-text('6 frames')")
    assert all("429" in fault or "ERR_FAILED" in fault for fault in one.faults), one.faults
    one.faults.clear()


def test_files_that_cannot_go__are_said(server: Server, open_review: OpenReview) -> None:
    page = open_review(server.url).page
    page.wait_for_selector("#drop:not([hidden])")
    drop(page, {".DS_Store": b"x"})
    page.wait_for_selector("#said:has-text('1 hidden file')")
    drop(page, {"empty.png": b"", "words.txt": b"not an image at all"})
    page.wait_for_selector(".failures li:has-text('words.txt')")
    assert "empty.png is empty" in page.locator(".failures").inner_text()
    page.wait_for_selector(".upload-words:has-text('2 of 2 files, 2 files could not be read')")
