"""An app run by uvicorn until it is stopped; what was accepted is answered before it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from fastapi import FastAPI

from finding_nemo.core.errors import OutputError
from finding_nemo.core.reporter import Reporter
from finding_nemo.serving.middleware.request_gate import ServerState
from finding_nemo.serving.middleware.request_limits import USUAL_REQUEST_LIMITS, RequestLimits
from finding_nemo.serving.patient_protocol import MOST_HEAD_BYTES, protocol_within

# A supervisor that asks /health once a second or two shall see that the server stops.
_TOLD_S = 1.0
_KEEP_ALIVE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server listens.

    Attributes:
        host: Name or number of this machine's side.
        port: 0 takes any that is free.
    """

    host: str = "127.0.0.1"
    port: int = 8765

    def url(self, port: int, *, token: str | None = None) -> str:
        """Return the page's address, with the token behind it if there is one.

        Args:
            port: Where it listens, once that is known.
            token: What clients must send.
        """
        every = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is shown, not bound
        host = every.get(self.host, self.host)
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/" + (f"#token={token}" if token else "")


def run_server(
    app: FastAPI,
    state: ServerState,
    *,
    address: Address,
    limits: RequestLimits = USUAL_REQUEST_LIMITS,
    on_ready: Callable[[int], None],
    reporter: Reporter,
) -> None:
    """Serve `app` until Ctrl-C or SIGTERM, or until `state.stop()` in the loop's thread.

    Then `/health` says that it stops, new work is refused, what was accepted is answered, and this
    returns. A second signal ends the program at once.

    Args:
        app: What `make_app` made.
        state: The state that it was made with.
        address: Where to listen.
        limits: What connections may cost.
        on_ready: Told the port once requests are taken.
        reporter: Told how it stops.

    Raises:
        OutputError: If the address cannot be listened to.
    """
    listener = _listen(address)
    config = uvicorn.Config(
        app,
        http=protocol_within(limits),
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(limits.stop_s)),
    )
    server = _Server(config, state, limits.stop_s, reporter)
    server.on_started = lambda: on_ready(listener.getsockname()[1])
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        listener.close()


def _listen(address: Address) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, name = found[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(name)
        except OSError:
            listener.close()
            raise
        return listener
    except OSError as error:
        raise OutputError(
            f"Cannot listen on {address.host}, port {address.port}: {error.strerror or error}. "
            "Choose another with --port (0 takes any that is free) or --host."
        ) from None


class _Server(uvicorn.Server):
    """Uvicorn, that refuses new work and answers the rest before it closes its door."""

    on_started: Callable[[], None]

    def __init__(
        self, config: uvicorn.Config, state: ServerState, stop_s: float, reporter: Reporter
    ) -> None:
        super().__init__(config)
        self._state, self._stop_s, self._reporter = state, stop_s, reporter
        self._stopping: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and tell so."""
        await super().startup(sockets=sockets)
        self._stopping = asyncio.create_task(self._stop_in_order())
        self._reporter.at_rest()
        self.on_started()

    async def _stop_in_order(self) -> None:
        await self._state.stopped()
        self._reporter.message(
            f"Stopping: {self._state.n_active} requests are answered first. "
            "Ctrl-C again ends at once."
        )
        try:
            async with asyncio.timeout(self._stop_s):
                await asyncio.sleep(_TOLD_S)
                await self._state.drained()
        except TimeoutError:
            self._reporter.warning(
                f"{self._state.n_active} requests were not answered within {self._stop_s:g} s."
            )
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let both signals stop the server in order while the block lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def asked(number: int, frame: FrameType | None) -> None:
            del number, frame
            loop.call_soon_threadsafe(self._state.stop)

        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, asked) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
