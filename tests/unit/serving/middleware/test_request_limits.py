"""Bodies counted and timed, and the memory that requests share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message

from finding_nemo.core.errors import RequestError
from finding_nemo.serving.middleware.request_limits import (
    ByteBudget,
    RequestLimits,
    body_pieces,
    busy,
)

PATIENT = RequestLimits(body_s=5)


def request_of(pieces: Sequence[bytes | float], length: str | None = None) -> Request:
    """Return a request whose body comes in pieces, with pauses in seconds; it may break off."""
    left = list(pieces)

    async def receive() -> Message:
        while left:
            piece = left.pop(0)
            if isinstance(piece, bytes):
                return {"type": "http.request", "body": piece, "more_body": bool(left)}
            await asyncio.sleep(piece)
        return {"type": "http.disconnect"}

    headers = [] if length is None else [(b"content-length", length.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def read(request: Request, most: int, limits: RequestLimits = PATIENT) -> bytes | int:
    """Return the body, or the status of its refusal."""

    async def all_of_it() -> bytes:
        return b"".join([piece async for piece in body_pieces(request, limits, most)])

    try:
        return asyncio.run(all_of_it())
    except RequestError as error:
        return error.status


def test_body__comes_whole_to_the_last_byte() -> None:
    assert read(request_of([b"abc", b"", b"de"]), 5) == b"abcde"
    assert read(request_of([b""]), 5) == b""


def test_body__of_one_byte_more_is_refused_whatever_its_header_says() -> None:
    assert read(request_of([b"abc", b"def"], length="3"), 5) == 413


@pytest.mark.parametrize("length", ["6", "99999999999999999999999999999"])
def test_body__that_says_itself_that_it_is_too_long_is_not_read(length: str) -> None:
    request = request_of([], length=length)  # reading it would break off
    assert read(request, 5) == 413


@pytest.mark.parametrize("length", ["-6", "6.5", "x", "٦"])
def test_length__that_is_no_number_is_not_believed(length: str) -> None:
    headers = [(b"content-length", length.encode())]
    request = Request(
        {"type": "http", "method": "POST", "headers": headers}, request_of([b"abc"]).receive
    )
    assert read(request, 5) == b"abc"


def test_body__that_breaks_off_is_refused() -> None:
    headers: list[tuple[bytes, bytes]] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    assert read(Request({"type": "http", "headers": headers}, receive), 5) == 400


def test_body__that_comes_too_slowly_is_refused() -> None:
    limits = RequestLimits(body_s=0.05, least_rate=1000)
    assert read(request_of([b"a", 30.0, b"b"]), 5, limits) == 408


def test_body__earns_time_with_its_bytes() -> None:
    limits = RequestLimits(body_s=0.02, least_rate=10)
    assert read(request_of([b"a" * 100, 0.1, b"b"]), 200, limits) == b"a" * 100 + b"b"


def test_budget__by_hand() -> None:
    budget = ByteBudget(10)
    budget.take(6)
    with pytest.raises(RequestError, match="holds 0 MB") as refusal:
        budget.take(5)
    assert (refusal.value.status, budget.held) == (429, 6)
    budget.give_back(6)
    budget.take(10)
    assert budget.held == 10


def test_busy__says_when_to_come_again() -> None:
    error = busy("Much waits.", after_s=3)
    assert (error.status, error.headers) == (429, {"Retry-After": "3"})
    assert str(error) == "Much waits. Send it again in 3 s."


def test_limits__of_one_image_are_those_of_the_decoder() -> None:
    found = RequestLimits(max_file_bytes=7, max_pixels=11).of_images
    assert (found.max_file_bytes, found.max_pixels) == (7, 11)
