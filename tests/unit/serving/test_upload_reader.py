"""Files of a request: whatever the pieces, the names and the lies."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.requests import Request
from starlette.types import Message

from finding_nemo.core.errors import RequestError
from finding_nemo.serving.middleware.request_limits import ByteBudget, RequestLimits
from finding_nemo.serving.upload_reader import MemorySink, Upload, read_uploads, shown_name

LIMITS = RequestLimits(max_files=3, max_file_bytes=20_000)


def png(side: int = 4) -> bytes:
    """Return the bytes of a small picture."""
    stream = io.BytesIO()
    Image.new("RGB", (side, side), (9, 99, 199)).save(stream, "PNG")
    return stream.getvalue()


def part(content: bytes, name: bytes = b"a.png", kind: bytes = b"image/png") -> bytes:
    """Return one part of a multipart body."""
    head = b'Content-Disposition: form-data; name="file"; filename="%b"\r\n' % name
    return b"--xyz\r\n" + head + b"Content-Type: %b\r\n\r\n" % kind + content + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    """Return a whole multipart body."""
    return b"".join(parts) + b"--xyz--\r\n"


def read(
    pieces: Sequence[bytes],
    kind: str = "multipart/form-data; boundary=xyz",
    budget: ByteBudget | None = None,
    limits: RequestLimits = LIMITS,
) -> list[Upload]:
    """Return the files of a body that comes in pieces."""
    left = list(pieces) or [b""]
    shared = budget or ByteBudget(10**9)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    headers = [(b"content-type", kind.encode("latin-1"))]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    return asyncio.run(
        read_uploads(
            request,
            limits,
            lambda name: MemorySink(name, limits, shared),
            most_bytes=limits.max_request_bytes,
        )
    )


def status_of(pieces: Sequence[bytes], kind: str = "multipart/form-data; boundary=xyz") -> int:
    """Return the status of the refusal."""
    with pytest.raises(RequestError) as refusal:
        read(pieces, kind)
    return refusal.value.status


def test_parts__come_in_order_with_their_names() -> None:
    found = read([multipart(part(png(), b"b.png"), part(png(5), b"a.png"))])
    assert [upload.name for upload in found] == ["b.png", "a.png"]
    assert [upload.content for upload in found] == [png(), png(5)]


def test_one_image__is_the_whole_body() -> None:
    (found,) = read([png()[:9], png()[9:]], "image/png")
    assert (found.name, found.content, found.failure) == ("image 1", png(), None)


@given(st.lists(st.integers(0, 700), max_size=12))
def test_pieces__may_be_cut_anywhere(cuts: list[int]) -> None:
    body = multipart(part(png(), b"x.png"), part(b"\r\n--xy\r\n-" * 9, b"y"), part(b"", b"z"))
    bounds = [0, *sorted(cut % len(body) for cut in cuts), len(body)]
    pieces = [body[i:j] for i, j in itertools.pairwise(bounds)]
    assert read(pieces) == read([body])


@given(st.binary(max_size=400), st.sampled_from(["multipart/form-data; boundary=xyz", "image/x"]))
def test_any_bytes__are_read_or_refused(body: bytes, kind: str) -> None:
    budget = ByteBudget(10**6)
    found: list[Upload] = []
    with suppress(RequestError):
        found = read([body, b"--xyz\r\n\r\n" + body, b"--xyz--"], kind, budget)
    assert budget.held == sum(len(upload.content) for upload in found)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"../../etc/passwd", "etc/passwd"),
        (b"..\\..\\windows\\x.png", "windows/x.png"),
        (b"/abs/a.png", "abs/a.png"),
        (b"dive 7/a.png", "dive 7/a.png"),
        (b"<img onerror=x>", "<img onerror=x>"),
        (b"a\x00b\x1b[2J.png", "a\\x00b\\x1b[2J.png"),
        (b"\xff.png", "�.png"),
        ("Fürstin.png".encode(), "Fürstin.png"),
        (b"x" * 999, "x" * 300),
        (b"...", "..."),
        (b"..", ""),
        (b"", ""),
    ],
)
def test_names__are_text_and_no_paths(name: bytes, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.binary(max_size=500))
def test_any_name__stays_below_a_folder(name: bytes) -> None:
    shown = shown_name(name)
    assert not shown.startswith("/")
    assert ".." not in shown.split("/")
    assert "\n" not in shown


def test_name__that_is_missing_is_a_number() -> None:
    bare = b"--xyz\r\nX: y\r\n\r\n" + png() + b"\r\n"
    found = read([multipart(part(png(), b".."), bare)])
    assert [upload.name for upload in found] == ["image 1", "image 2"]


def test_type__says_nothing() -> None:
    (found,) = read([multipart(part(png(), b"a.exe", b"application/x-evil"))])
    assert found.failure is None
    (junk,) = read([multipart(part(b"MZ" + b"\x01" * 5000, b"a.png", b"image/png"))])
    assert junk.failure == "is not an image that can be read"
    assert junk.content == b""


def test_junk__is_forgotten_after_its_first_bytes() -> None:
    budget = ByteBudget(3000)  # less than the junk
    (found,) = read([b"\x01" * 1000] * 15, "image/png", budget)
    assert found.failure is not None
    assert budget.held == 0


def test_file__that_is_too_large_is_a_failure_and_not_held() -> None:
    budget = ByteBudget(10**9)
    large = png() + b"\x00" * 20_000
    found = read([multipart(part(large), part(png()))], budget=budget)
    assert [upload.failure for upload in found] == ["is larger than 0.02 MB", None]
    assert budget.held == len(png())


def test_empty_file__is_a_failure() -> None:
    (found,) = read([multipart(part(b""))])
    assert found.failure == "is empty (0 bytes)"
    (body,) = read([b""], "image/png")
    assert body.failure == "is empty (0 bytes)"


def test_too_many_parts__are_refused_when_the_first_too_many_begins() -> None:
    started = multipart(*[part(png())] * 3)[: -len(b"--xyz--\r\n")]
    pieces = [started, b"--xyz\r\n", b"C"]  # nothing more need come
    assert status_of(pieces) == 413


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (multipart(part(png()))[:-6], "multipart/form-data; boundary=xyz", 400),
        (multipart(part(png()))[:60], "multipart/form-data; boundary=xyz", 400),
        (b"", "multipart/form-data; boundary=xyz", 400),
        (b"--xyz--\r\n", "multipart/form-data; boundary=xyz", 400),
        (b"no multipart at all", "multipart/form-data; boundary=xyz", 400),
        (multipart(part(png())), "multipart/form-data; boundary=other", 400),
        (multipart(part(png())), "multipart/form-data", 400),
        (multipart(part(png())), f"multipart/form-data; boundary={'b' * 71}", 400),
        (multipart(b"--xyz\r\nX: " + b"y" * 9000), "multipart/form-data; boundary=xyz", 400),
        (multipart(b"--xyz\r\n" + b"A: b\r\n" * 3000), "multipart/form-data; boundary=xyz", 400),
        (b"{}", "application/json", 415),
        (b"{}", "", 415),
    ],
)
def test_wrong_bodies__are_refused(body: bytes, kind: str, status: int) -> None:
    assert status_of([body], kind) == status


def test_refusal__in_the_middle_gives_the_memory_back() -> None:
    budget = ByteBudget(10**9)
    body = multipart(part(png() + b"\x00" * 5000))
    with pytest.raises(RequestError):
        read([body[:3000]], budget=budget)
    assert budget.held == 0


def test_memory__that_others_hold_is_waited_for() -> None:
    budget = ByteBudget(100)
    with pytest.raises(RequestError) as refusal:
        read([multipart(part(png() + b"\x00" * 3000))], budget=budget)
    assert refusal.value.status == 429
