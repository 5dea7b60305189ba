"""The one door of all requests: who may ask, whether the server stops, headers, counts, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finding_nemo.core.errors import RequestError
from finding_nemo.serving.middleware.access import SECURITY_HEADERS, AccessRules, check_access
from finding_nemo.serving.middleware.error_replies import (
    JSON,
    UNEXPECTED,
    error_json,
    fault_in_words,
)
from finding_nemo.serving.middleware.request_limits import (
    USUAL_REQUEST_LIMITS,
    RequestLimits,
    too_large,
    too_slow,
)
from finding_nemo.serving.middleware.server_metrics import ServerMetrics

STOPPING = RequestError(
    503,
    "The server is stopping and takes no new work.",
    do="Send it again when the server is back.",
    headers={"Retry-After": "30", "Connection": "close"},
)
# Answered to the end: a supervisor asks the first, the second tells what is still done.
_WHILE_STOPPING = frozenset({"/health", "/metrics"})
_REVIEW_KEPT = ("/reviews", 201)
# They bring files, and count and time their bodies themselves, piece by piece.
_UPLOADS = frozenset({"/predict", "/frames"})
_MOST_DRAINED = 100_000_000
_DRAIN_S = 5.0


@dataclass
class ServerState:
    """What the whole server is doing; used in the thread of its event loop alone.

    Attributes:
        is_stopping: Whether new work is refused.
        n_active: Requests that were accepted and are not answered yet.
    """

    is_stopping: bool = False
    n_active: int = 0
    _asked: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Refuse new work from here on."""
        self.is_stopping = True
        self._asked.set()
        self._tell()

    async def stopped(self) -> None:
        """Wait until somebody asks the server to stop."""
        await self._asked.wait()

    async def drained(self) -> None:
        """Wait until the server stops and every accepted request is answered."""
        await self._idle.wait()

    def enter(self) -> None:
        """Count a request in."""
        self.n_active += 1
        self._idle.clear()

    def leave(self) -> None:
        """Count it out."""
        self.n_active -= 1
        self._tell()

    def _tell(self) -> None:
        if self.is_stopping and not self.n_active:
            self._idle.set()


class RequestGate:
    """The outermost part of the app, in the form of ASGI."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: AccessRules,
        state: ServerState,
        metrics: ServerMetrics,
        tell_fault: Callable[[str], None],
        limits: RequestLimits = USUAL_REQUEST_LIMITS,
    ) -> None:
        """Stand before `app`.

        Args:
            app: What answers.
            rules: Who may ask.
            state: Whether the server stops.
            metrics: Where requests are counted.
            tell_fault: Told of faults of the server itself, with their place in the program.
            limits: What a body that brings no files may cost.
        """
        self._app, self._rules, self._state, self._limits = app, rules, state, limits
        self._metrics, self._tell_fault = metrics, tell_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limits = None if scope["path"] in _UPLOADS else self._limits
        began, reply = perf_counter(), _Reply(send, _Incoming(scope, receive, limits))
        self._state.enter()
        try:
            await self._answer(scope, reply)
        finally:
            self._state.leave()
            route = _route_of(scope)
            self._metrics.request(route, reply.status, perf_counter() - began)
            if (route, reply.status) == _REVIEW_KEPT:
                self._metrics.reviews.inc()

    async def _answer(self, scope: Scope, reply: _Reply) -> None:
        try:
            headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
            check_access(self._rules, scope["method"], scope["path"], headers)
            if self._state.is_stopping and scope["path"] not in _WHILE_STOPPING:
                raise STOPPING
            await self._app(scope, reply.incoming, reply)
        except RequestError as error:
            if error.status == UNEXPECTED.status:
                self._tell_fault(str(error.__cause__ or error))
            await reply.tell(error)
        except Exception as error:
            self._tell_fault(fault_in_words(error))
            await reply.tell(UNEXPECTED)


class _Incoming:
    """A request on its way, and whether the client may still be sending it.

    A body that is read in whole (JSON) may be long and slow only up to `limits`; `None` leaves that
    to who reads it.
    """

    def __init__(self, scope: Scope, receive: Receive, limits: RequestLimits | None) -> None:
        self._receive, self._limits = receive, limits
        self._n_bytes, self._began = 0, perf_counter()
        names = dict(scope["headers"])
        has_body = b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0"
        # Who expects a word before sending sends nothing without it.
        self.is_over = not has_body or b"expect" in names

    async def __call__(self) -> Message:
        limits = self._limits
        if limits is None or self.is_over:
            return await self._next()
        spent_s = perf_counter() - self._began
        left_s = limits.body_s + self._n_bytes / limits.least_rate - spent_s
        try:
            async with asyncio.timeout(max(left_s, 0)):
                message = await self._next()
        except TimeoutError:
            raise too_slow(self._n_bytes, perf_counter() - self._began, limits) from None
        self._n_bytes += len(message.get("body", b""))
        if self._n_bytes > limits.max_json_bytes:
            raise too_large(limits.max_json_bytes, do="Send less in one request.")
        return message

    async def _next(self) -> Message:
        message = await self._receive()
        self.is_over = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def drain(self) -> None:
        """Read and forget what a refused client still sends, for a while.

        A connection that is closed while data waits in it is reset, and the client may lose the
        reply that says why.
        """
        left = _MOST_DRAINED
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while left > 0 and not self.is_over:
                    left -= len((await self._next()).get("body", b""))


class _Reply:
    """A reply on its way, with the headers that all have."""

    def __init__(self, send: Send, incoming: _Incoming) -> None:
        self._send = send
        self.incoming = incoming
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-cache")
        await self._send(message)

    async def tell(self, error: RequestError) -> None:
        """Send a refusal, if nothing was sent yet."""
        if self.status:
            return
        body = error_json(error)
        headers = {"Content-Type": JSON, "Content-Length": str(len(body)), **error.headers}
        is_over = self.incoming.is_over
        if not is_over:
            headers["Connection"] = "close"
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self({"type": "http.response.start", "status": error.status, "headers": raw})
        await self({"type": "http.response.body", "body": body, "more_body": not is_over})
        if not is_over:
            await self.incoming.drain()
            await self({"type": "http.response.body", "body": b""})


def _route_of(scope: Any) -> str:  # noqa: ANN401 - a scope of ASGI
    """Return the route as the program wrote it; one word for all addresses that are none."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    return "/static" if scope["path"].startswith("/static/") else "other"
