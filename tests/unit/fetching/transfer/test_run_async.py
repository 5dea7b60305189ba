"""Coroutines from plain functions, with and without a loop that runs."""

from __future__ import annotations

import asyncio

import pytest

from finding_nemo.fetching.transfer.run_async import run_async


async def work(done: list[int]) -> None:
    await asyncio.sleep(0)
    done.append(1)


def test_run_async__with_and_without_a_running_loop() -> None:
    done: list[int] = []
    run_async(work(done))

    async def as_in_a_notebook() -> None:
        run_async(work(done))

    with asyncio.Runner() as runner:
        runner.run(as_in_a_notebook())
    assert done == [1, 1]


def test_run_async__raises_what_the_work_raises() -> None:
    async def fail() -> None:
        raise ValueError("no")

    async def as_in_a_notebook() -> None:
        run_async(fail())

    with pytest.raises(ValueError, match="no"):
        run_async(fail())
    with asyncio.Runner() as runner, pytest.raises(ValueError, match="no"):
        runner.run(as_in_a_notebook())
