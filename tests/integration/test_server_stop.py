"""A server that is stopped answers what it accepted, refuses the rest, and ends with code 0."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.data.images.decode import decode_image

Form = Callable[..., tuple[bytes, str]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop__of_an_idle_server_ends_in_order(
    start_server: Any, bundle_with_maps: Path, number: int
) -> None:
    server = start_server("serve", str(bundle_with_maps))
    code, out, told = server.stop(number)
    assert code == 0
    assert "Stopped: all that was accepted is answered." in out
    assert "Traceback" not in told


def test_stop__under_load_drops_nothing_that_was_accepted(
    start_server: Any, bundle_with_maps: Path, form: Form, many_frames: Path
) -> None:
    """Every reply is a whole one: predictions, or the refusal of a server that stops."""
    frames = [path.read_bytes() for path in sorted((many_frames / "dive0").iterdir())[:20]]
    assert decode_image(frames[0]).width == 40
    body, kind = form(*((f"{number}", content) for number, content in enumerate(frames)))
    server = start_server("serve", str(bundle_with_maps))
    statuses: list[int] = []
    broken: list[str] = []
    is_stopping = threading.Event()

    def ask() -> None:
        while True:
            connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
            try:
                connection.connect()
            except OSError:  # nobody listens any more
                return
            try:
                connection.request("POST", "/predict", body, {"Content-Type": kind})
                reply = connection.getresponse()
                content = reply.read()
                statuses.append(reply.status)
                assert content.endswith(b"}")
                if reply.status == 503:
                    return
            except (OSError, HTTPException) as error:
                # One that nobody had taken yet when the door closed.
                if not is_stopping.is_set():
                    broken.append(repr(error))
                return
            finally:
                connection.close()

    clients = [threading.Thread(target=ask) for _ in range(16)]
    for client in clients:
        client.start()
    while len(statuses) < 16:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    status, told, _ = server.ask("GET", "/health")
    assert (status, told) == (503, {"status": "stopping"})
    is_stopping.set()
    for client in clients:
        client.join(60)
    out, _ = server.process.communicate(timeout=60)
    assert server.process.returncode == 0
    assert "Stopped" in out
    assert not broken
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) >= 1
