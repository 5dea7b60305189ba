"""What one request, and all of them together, may cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request

from finding_nemo.core.errors import RequestError
from finding_nemo.core.files.input_limits import InputLimits

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """What requests may cost.

    Attributes:
        max_files: Parts of one request.
        max_file_bytes: Of one image.
        max_request_bytes: Of the body of one request.
        max_video_bytes: Of the body of one request that brings frames to keep, which may be a
            video.
        max_json_bytes: Of the body of one request that brings no files.
        max_pixels: Of one frame.
        max_video_frames: Frames taken of one video.
        max_held_bytes: Of all bodies in memory at once.
        max_queue_images: Images that wait for a worker.
        header_s: Seconds within which the head of a request must be there.
        body_s: Seconds that a body may take, beside those that its bytes take at `least_rate`.
        least_rate: Bytes a second below which a client is too slow.
        max_connections: Open at once.
        stop_s: Seconds that accepted work is waited for when the server stops.
    """

    max_files: int = 64
    max_file_bytes: int = 64 * MB
    max_request_bytes: int = 128 * MB
    max_video_bytes: int = 4000 * MB
    max_json_bytes: int = 2 * MB
    max_pixels: int = 100_000_000
    max_video_frames: int = 2000
    max_held_bytes: int = 512 * MB
    max_queue_images: int = 512
    header_s: float = 10.0
    body_s: float = 20.0
    least_rate: int = 100_000
    max_connections: int = 512
    stop_s: float = 60.0

    @property
    def of_images(self) -> InputLimits:
        """What one image may cost to decode."""
        return InputLimits(max_file_bytes=self.max_file_bytes, max_pixels=self.max_pixels)


USUAL_REQUEST_LIMITS = RequestLimits()


@dataclass
class ByteBudget:
    """The bytes that all requests hold in memory together; used in the event loop alone.

    Attributes:
        limit: How many there may be.
        held: How many there are.
    """

    limit: int
    held: int = field(default=0, init=False)

    def take(self, n_bytes: int) -> None:
        """Count bytes in.

        Raises:
            RequestError: 429 if there would be too many.
        """
        if self.held + n_bytes > self.limit:
            raise busy(
                f"The server holds {self.held / MB:.0f} MB of other requests already.", after_s=1
            )
        self.held += n_bytes

    def give_back(self, n_bytes: int) -> None:
        """Count bytes out."""
        self.held -= n_bytes


def busy(what: str, *, after_s: int) -> RequestError:
    """Return the refusal of work that there is no room for now."""
    return RequestError(
        429,
        what,
        do=f"Send it again in {after_s} s.",
        headers={"Retry-After": str(after_s)},
    )


def check_stated_length(request: Request, most: int) -> None:
    """Refuse a body that says itself that it is too long, before any of it is read.

    Raises:
        RequestError: 413.
    """
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and int(stated[:20]) > most:
        raise too_large(most)


def too_large(
    most: int, *, do: str = "Send fewer files in a request, or smaller ones."
) -> RequestError:
    """Return the refusal of a body that is too long."""
    return RequestError(413, f"The body is larger than {most / MB:g} MB.", do=do)


def too_slow(n_bytes: int, spent_s: float, limits: RequestLimits) -> RequestError:
    """Return the refusal of a body that did not come in time."""
    return RequestError(
        408,
        f"The body came too slowly: {n_bytes:,} bytes in {spent_s:.0f} s.",
        wanted=f"Within {limits.body_s:g} s, and {limits.least_rate / 1000:g} kB a second beyond "
        "that.",
    )


async def body_pieces(request: Request, limits: RequestLimits, most: int) -> AsyncIterator[bytes]:
    """Yield a body as it comes, counted and timed; what its header says is not believed.

    Args:
        request: Whose body it is.
        limits: What it may cost in time.
        most: How many bytes it may have.

    Raises:
        RequestError: 413 if it is too long, 408 if it is too slow, 400 if it breaks off.
    """
    check_stated_length(request, most)
    received, began = 0, time.monotonic()
    pieces = request.stream().__aiter__()
    while True:
        left_s = limits.body_s + received / limits.least_rate - (time.monotonic() - began)
        try:
            async with asyncio.timeout(max(left_s, 0)):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise too_slow(received, time.monotonic() - began, limits) from None
        except ClientDisconnect:
            raise RequestError(400, "The body broke off.") from None
        if piece is None:
            return
        received += len(piece)
        if received > most:
            raise too_large(most)
        if piece:
            yield piece
