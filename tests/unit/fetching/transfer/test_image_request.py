"""One request for one image, asked of servers that send slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from finding_nemo.fetching.transfer.image_request import ImageRequests, Received, open_client
from finding_nemo.fetching.transfer.politeness import Manner, Politeness
from finding_nemo.fetching.transfer.server_answers import Step
from finding_nemo.fetching.transfer.unfinished_file import UnfinishedFile

pytestmark = pytest.mark.usefixtures("no_proxy")
POLITE = Politeness(grace_s=0.25, least_bytes_per_s=1_000.0)
# Far less than what an average over the whole answer would allow, 300 s.
_PATIENCE_S = 30.0
_HEAD_BYTES = 300_000
Send = Callable[[asyncio.StreamWriter], Awaitable[None]]


def received(send: Send, n_bytes: int, folder: Path) -> Received:
    """Ask a server of one answer for its image, in a thread without another loop."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {n_bytes}\r\n\r\n"
        writer.write(head.encode())
        try:
            await send(writer)
        except OSError:  # the other side left
            return
        finally:
            writer.close()

    async def ask() -> Received:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.png"
        async with server, open_client(POLITE) as client, asyncio.timeout(_PATIENCE_S):
            return await ImageRequests(client, POLITE).ask(url, UnfinishedFile(folder, "a.png"))

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask()).result()


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(bytes(_HEAD_BYTES))
    for _ in range(3 * int(_PATIENCE_S)):
        await writer.drain()
        writer.write(b"0")
        await asyncio.sleep(0.1)


async def slowly(writer: asyncio.StreamWriter) -> None:
    """Send 4,000 bytes in half a second, twice the grace, faster than the least rate."""
    for _ in range(10):
        writer.write(bytes(400))
        await writer.drain()
        await asyncio.sleep(0.05)


def test_answer__that_drips_after_a_fast_head_is_broken_off(tmp_path: Path) -> None:
    answer = received(dripping, 2 * _HEAD_BYTES, tmp_path)
    assert (answer.step, answer.manner) == (Step.RETRY, Manner.WRONG)
    assert answer.reason == "the server sends too slowly"
    assert answer.n_bytes >= _HEAD_BYTES


def test_answer__that_is_slow_but_keeps_the_rate_is_waited_for(tmp_path: Path) -> None:
    answer = received(slowly, 4_000, tmp_path)
    assert (answer.step, answer.n_bytes) == (Step.COMPLETE, 4_000)
