"""HTTP by uvicorn and h11, with an end to patience: for heads that do not come, and for crowds."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from finding_nemo.core.errors import RequestError
from finding_nemo.serving.middleware.access import SECURITY_HEADERS
from finding_nemo.serving.middleware.error_replies import JSON, error_json
from finding_nemo.serving.middleware.request_limits import RequestLimits

MOST_HEAD_BYTES = 32_768
_NO_REQUEST = RequestError(
    400, "This is no HTTP request that can be read.", do="Send HTTP/1.1 to this port."
)


class PatientProtocol(H11Protocol):
    """Uvicorn's protocol, that closes connections that cost more than `limits`.

    A connection is closed without a word if the head of a request is not there in time, or if
    there are too many connections: any answer would cost more than it does good.
    """

    limits: RequestLimits
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head, but not for ever."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._be_calm()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take what has come."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._be_calm()
        elif self._patience is None and self.timeout_keep_alive_task is None:
            self._wait()  # a next head has begun on a connection that was kept open

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the form of all refusals."""
        del msg
        body = error_json(_NO_REQUEST)
        headers = {
            **SECURITY_HEADERS,
            "Content-Type": JSON,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 400 Bad Request\r\n{head}\r\n".encode() + body)
        self.transport.close()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.limits.header_s, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        self.transport.abort()

    def _be_calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def protocol_within(limits: RequestLimits) -> type[PatientProtocol]:
    """Return the protocol with limits of its own; uvicorn makes one object a connection."""
    return type("LimitedProtocol", (PatientProtocol,), {"limits": limits})
