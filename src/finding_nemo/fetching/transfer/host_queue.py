"""The requests that wait for one server, begun as its pace allows."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from finding_nemo.fetching.transfer.politeness import HostPace, Manner

# A connection that was broken off is counted until the server can have noticed.
_TO_BE_NOTICED_S = 0.05


@dataclass(frozen=True, slots=True)
class Taken:
    """How a server took a request, and for how long it asks to be left alone."""

    manner: Manner
    retry_after_s: float | None = None


class Request(Protocol):
    """Something that is asked of a server once."""

    async def carry_out(self) -> Taken:
        """Ask, do with the answer what is to be done, and return how it was taken."""

    def give_up(self, reason: str) -> None:
        """Take note that it will not be asked, and why."""


class HostQueue:
    """What is to be asked of one server: what waited long enough first, then what is new."""

    def __init__(
        self,
        pace: HostPace,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        """Begin empty; `start` runs a coroutine beside the others."""
        self._pace = pace
        self._start = start
        self._fresh: deque[Request] = deque()
        self._later: list[tuple[float, int, Request]] = []
        self._n_put = 0
        self._changed = asyncio.Event()
        self._server = start(self._serve())

    def put(self, request: Request, *, wait_s: float | None = None) -> None:
        """Ask `request` in `wait_s` seconds or later; without it after all that was put before."""
        if wait_s is None:
            self._fresh.append(request)
        else:
            self._n_put += 1
            ready_at = asyncio.get_running_loop().time() + wait_s
            heapq.heappush(self._later, (ready_at, self._n_put, request))
        self._changed.set()

    def close(self) -> None:
        """Ask nothing more."""
        self._server.cancel()

    async def _serve(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            if self._pace.is_given_up(clock()):
                self._give_up()
            wait_s = self._wait_s(clock())
            if wait_s == 0:
                request = self._next(clock())
                self._pace.begin(clock())
                self._start(self._carry_out(request))
                continue
            self._changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _wait_s(self, now: float) -> float | None:
        """Return in how many seconds the next may begin; `None` until something changes."""
        pause_s = self._pace.wait_s(now)
        if pause_s is None or not (self._fresh or self._later):
            return None
        return pause_s if self._fresh else max(0.0, pause_s, self._later[0][0] - now)

    def _next(self, now: float) -> Request:
        if self._later and (not self._fresh or self._later[0][0] <= now):
            return heapq.heappop(self._later)[2]
        return self._fresh.popleft()

    async def _carry_out(self, request: Request) -> None:
        taken = await request.carry_out()
        if taken.manner is not Manner.WELL:
            await asyncio.sleep(_TO_BE_NOTICED_S)
        now = asyncio.get_running_loop().time()
        self._pace.end(now, taken.manner, taken.retry_after_s)
        self._changed.set()

    def _give_up(self) -> None:
        waiting = [*(request for _, _, request in sorted(self._later)), *self._fresh]
        self._later, self._fresh = [], deque()
        for request in waiting:
            request.give_up("the server cannot be reached, or fails all the time")
