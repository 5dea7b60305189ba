"""Coroutines from plain functions, with and without a loop that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from finding_nemo.fetching.transfer.run_async import run_async


async def work(done: list[int]) -> None:
    await asyncio.sleep(0)
    done.append(1)


def in_a_thread(call: Callable[[], None]) -> None:
    """Call it in a thread of its own: a browser of other tests leaves its loop running here."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(call).result()


def in_a_notebook(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Call it in a thread whose event loop runs."""

    async def cell() -> None:
        run_async(work())

    in_a_thread(lambda: asyncio.run(cell()))


def test_run_async__with_and_without_a_running_loop() -> None:
    done: list[int] = []
    in_a_thread(lambda: run_async(work(done)))
    in_a_notebook(lambda: work(done))
    assert done == [1, 1]


def test_run_async__raises_what_the_work_raises() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        in_a_thread(lambda: run_async(fail()))
    with pytest.raises(ValueError, match="no"):
        in_a_notebook(fail)
