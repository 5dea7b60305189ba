"""What a review session refuses, told as every refusal of the server is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from finding_nemo.core.errors import (
    FindingNemoError,
    FrameFailedError,
    ImageError,
    MissingExtraError,
    NoSpaceError,
    NoSuchFrameError,
    OutputError,
    RequestError,
    ReviewsError,
)

_STATUS: tuple[tuple[type[FindingNemoError], int], ...] = (
    (NoSuchFrameError, 404),
    (FrameFailedError, 409),
    (ReviewsError, 422),
)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class SessionRoute(APIRoute):
    """A route whose handler may raise what a review session raises."""

    def get_route_handler(self) -> Handler:
        """Return the handler with refusals of the session told in the one form."""
        handler = super().get_route_handler()

        async def refusing(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestError:
                raise
            except FindingNemoError as error:
                raise refusal_of_session(error) from error

        return refusing


def refusal_of_session(error: FindingNemoError) -> RequestError:
    """Return the refusal that an error of a session stands for; it holds no path of the server."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            what, _, do = str(error).partition(". ")
            return RequestError(status, f"{what.rstrip('.')}.", do=do)
    if isinstance(error, NoSpaceError):
        return RequestError(507, "The server's disk is full.", do="Free space, then try again.")
    if isinstance(error, OutputError):
        return RequestError(
            500,
            "The server could not write it.",
            do="Look at what it printed, then try again; nothing of it counts.",
        )
    if isinstance(error, ImageError | MissingExtraError):
        return RequestError(404, f"The image cannot be shown: it {error}.")
    return RequestError(500, "The predictions can no longer be read.", do="Start the server again.")
