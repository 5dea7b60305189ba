"""What a worker process does: it answers one request after the other until nobody asks any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.core.names.registries import load
from finding_nemo.core.processes.messages import Message, read_message, write_message

Answer = Callable[[Message], Message]

# Names in `Message.facts`.
READY = "ready"
UNABLE = "unable"


def main(function: str) -> None:
    """Answer what comes in on stdin, on stdout, until stdin ends.

    The end comes when the process that asks closes its end, or is gone, however it went: the system
    closes what it had open. Ctrl-C is ignored before this is called.

    Args:
        function: Its name, "module:function"; takes a request and returns the answer.
    """
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints must not come between two answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise_malloc_thresholds()
    answer_all(load(function), sys.stdin.buffer, answers)


def answer_all(answer: Answer, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each request; one that cannot be answered is told as such, with the reason."""
    try:
        write_message(answers, Message({READY: True}))
        while (request := read_message(requests)) is not None:
            write_message(answers, _answered(answer, request))
    except BrokenPipeError:  # who asked is gone
        return


def _answered(answer: Answer, request: Message) -> Message:
    try:
        return answer(request)
    except Exception as error:
        return Message({UNABLE: f"{type(error).__name__}: {error}"})
