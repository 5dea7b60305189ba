"""A web server that misbehaves by a seed, and keeps account of what it was asked.

with MisbehavingServer({"/a.png": content}, fault_rate=0.3, seed=1) as server:
    ... server.url + "/a.png" ...
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from random import Random
from types import TracebackType
from typing import Self

FAULTS = (
    "silent",
    "error",
    "busy",
    "truncated",
    "too-short-length",
    "too-long-length",
    "page",
    "drip",
    "reset",
)
_PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


@dataclass(frozen=True)
class Asked:
    """One request: when it came, for what, which part, and what was done."""

    at_s: float
    path: str
    range: str
    done: str


@dataclass
class Account:
    """What a server was asked.

    Attributes:
        asked: Each request, as it ended.
        most_connections: Connections at once, at most.
        most_requests: Requests at once, at most.
        starts: When each request came, in seconds.
    """

    asked: list[Asked] = field(default_factory=list)
    most_connections: int = 0
    most_requests: int = 0
    starts: list[float] = field(default_factory=list)

    def count(self, done: str) -> int:
        """Return how many requests ended so."""
        return sum(each.done == done for each in self.asked)

    def most_starts_within(self, seconds: float) -> int:
        """Return how many requests began in the fullest window of so many seconds."""
        starts = sorted(self.starts)
        first = most = 0
        for last, at in enumerate(starts):
            while at - starts[first] > seconds:
                first += 1
            most = max(most, last - first + 1)
        return most


Answer = Callable[[str, bytes], tuple[int, dict[str, str], bytes]]


class MisbehavingServer:
    """Serves files by HTTP/1.1 in a thread."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        fault_rate: float = 0.0,
        seed: int = 0,
        faults: tuple[str, ...] = FAULTS,
        hold_s: float = 1.5,
        has_ranges: bool = True,
        has_validators: bool = True,
        special: Mapping[str, Answer] | None = None,
        host: str = "127.0.0.1",
        pause_s: float = 0.0,
    ) -> None:
        """Serve `files` by path.

        Args:
            files: What is served; any other path is 404. A mapping may read them when asked.
            fault_rate: Share of the requests that go wrong.
            seed: Of what goes wrong: by path and the number of its requests.
            faults: What may go wrong.
            hold_s: For how long a silent answer is held back.
            has_ranges: Whether parts of files are given.
            has_validators: Whether answers carry an ETag.
            special: Paths that are answered by a function of the whole path, with what is asked
                behind it, and the body.
            host: The address to listen at.
            pause_s: Before each answer.
        """
        self.files = files
        self.account = Account()
        self._fault_rate, self._seed, self._faults = fault_rate, seed, faults
        self._hold_s, self._pause_s = hold_s, pause_s
        self._has_ranges, self._has_validators = has_ranges, has_validators
        self._special = dict(special or {})
        self._host = host
        self._n_asked: Counter[str] = Counter()
        self._n_connections = self._n_requests = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, self._host, 0)
        port = server.sockets[0].getsockname()[1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{shown}:{port}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        self._n_connections += 1
        account = self.account
        account.most_connections = max(account.most_connections, self._n_connections)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._one(reader, writer):
                    pass
        except asyncio.CancelledError:
            pass
        finally:
            self._n_connections -= 1
            self._handlers.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        _, path, _ = head[0].split(" ")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        now = time.monotonic()
        self.account.starts.append(now)
        self._n_requests += 1
        self.account.most_requests = max(self.account.most_requests, self._n_requests)
        done = "lost"
        try:
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
            done = await self._answer(path, headers, body, reader, writer)
        finally:
            self._n_requests -= 1
            self.account.asked.append(Asked(now, path, headers.get("range", ""), done))
        return done in ("whole", "part", "absent", "error", "busy", "page", "special")

    async def _answer(
        self,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> str:
        answer = self._special.get(path.partition("?")[0])
        if answer is not None:
            status, own, content = answer(path, body)
            await _send(writer, status, {"Content-Length": str(len(content)), **own}, content)
            return "special"
        if path not in self.files:
            await _send(writer, 404, {"Content-Length": "4"}, b"none")
            return "absent"
        random = Random(f"{self._seed} {path} {self._n_asked[path]}")  # noqa: S311 - no secret
        self._n_asked[path] += 1
        if random.random() < self._fault_rate:
            name = random.choice(self._faults)
            fault: Callable[..., Awaitable[None]] = getattr(self, f"_{name.replace('-', '_')}")
            await fault(self.files[path], random, reader, writer)
            return name
        return await self._well(self.files[path], headers, writer)

    async def _well(
        self, content: bytes, headers: Mapping[str, str], writer: asyncio.StreamWriter
    ) -> str:
        own = {"Content-Type": "image/png"} | self._validators(content)
        start = self._start(content, headers)
        if start >= len(content):
            own |= {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"}
            await _send(writer, 416, own, b"")
            return "part"
        own["Content-Length"] = str(len(content) - start)
        if start:
            own["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        await _send(writer, 206 if start else 200, own, content[start:])
        return "part" if start else "whole"

    def _start(self, content: bytes, headers: Mapping[str, str]) -> int:
        wanted = headers.get("range", "")
        if not self._has_ranges or not wanted:
            return 0
        if "if-range" in headers and headers["if-range"] != tag_of(content):
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))

    def _validators(self, content: bytes) -> dict[str, str]:
        return {"ETag": tag_of(content)} if self._has_validators else {}

    async def _silent(
        self, _: bytes, __: Random, reader: asyncio.StreamReader, ___: asyncio.StreamWriter
    ) -> None:
        await _waits(reader, self._hold_s)

    async def _error(
        self, _: bytes, random: Random, __: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await _send(writer, random.choice((500, 502, 504)), {"Content-Length": "5"}, b"error")

    async def _busy(
        self, _: bytes, random: Random, __: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=0), usegmt=True)
        after = random.choices(("0", date, "1"), (12, 12, 1))[0]
        own = {"Content-Length": "4", "Retry-After": after}
        await _send(writer, random.choice((429, 503)), own, b"busy")

    async def _truncated(
        self,
        content: bytes,
        random: Random,
        _: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        own = {"Content-Length": str(len(content))} | self._validators(content)
        await _send(writer, 200, own, content[: random.randrange(len(content))])

    async def _too_short_length(
        self,
        content: bytes,
        random: Random,
        _: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        own = {"Content-Length": str(random.randrange(1, len(content)))}
        await _send(writer, 200, own | self._validators(content), content)

    async def _too_long_length(
        self,
        content: bytes,
        random: Random,
        _: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        own = {"Content-Length": str(len(content) + random.randrange(1, 999))}
        await _send(writer, 200, own | self._validators(content), content)

    async def _page(
        self, _: bytes, random: Random, __: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        kind = random.choice(("text/html; charset=utf-8", "image/png"))
        own = {"Content-Length": str(len(_PAGE)), "Content-Type": kind}
        await _send(writer, 200, own, _PAGE)

    async def _drip(
        self,
        content: bytes,
        random: Random,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        own = {"Content-Length": str(len(content))} | self._validators(content)
        n_sent = random.randrange(len(content))
        await _send(writer, 200, own, content[:n_sent])
        for n in range(n_sent, len(content)):
            if await _waits(reader, self._hold_s / 10):
                return
            writer.write(content[n : n + 1])

    async def _reset(
        self,
        content: bytes,
        random: Random,
        _: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if random.random() < 0.5:
            own = {"Content-Length": str(len(content))} | self._validators(content)
            await _send(writer, 200, own, content[: random.randrange(len(content))])
        found = writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _waits(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Wait; return whether the other side left before."""
    with suppress(TimeoutError):
        await asyncio.wait_for(reader.read(1), seconds)
        return True
    return False


async def _send(
    writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    lines = [f"HTTP/1.1 {status} Word", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    await writer.drain()


def tag_of(content: bytes) -> str:
    """Return the ETag of a file."""
    return f'"{sha256(content).hexdigest()[:16]}"'
