"""Coroutines run to their end from plain functions, also where an event loop runs already."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end.

    A notebook has an event loop of its own, in which no second one can run: there the work is done
    in a thread, and Ctrl-C cancels it.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="async") as thread:
            done = thread.submit(loop.run_until_complete, task)
            try:
                done.result()
            except KeyboardInterrupt:
                loop.call_soon_threadsafe(task.cancel)
                raise
    finally:
        loop.close()
