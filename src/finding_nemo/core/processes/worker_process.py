"""A process of this program that answers requests, as the one who asks sees it.

Plain pipes rather than `multiprocessing`: no shared memory that could be left behind, nothing
pickled, and the script of whoever uses the package is not run a second time. The pipe is also the
leash: a worker whose asker ends, also by SIGKILL, reads the end of its input and ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import BinaryIO, cast

from finding_nemo.core.processes.answer_requests import READY, UNABLE
from finding_nemo.core.processes.messages import Message, read_message, write_message

# Ctrl-C reaches every process of a terminal; the first line keeps a worker from dying of it in the
# middle of a request. The second lets it find all that this process finds, installed or not.
_PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
    "from finding_nemo.core.processes.answer_requests import main; main(sys.argv[2])\n"
)
# Each worker has a core; libraries that would start a thread a core by themselves are kept to one.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_PIPE_BYTES = 1 << 20
_PATIENCE_S = 5.0


class WorkerGoneError(Exception):
    """The worker has ended, or could not do what it was asked; never seen outside the package."""


class WorkerProcess:
    """A worker, which one thread at a time may ask."""

    def __init__(self, function: str) -> None:
        """Start it, without waiting.

        Args:
            function: What answers, "module:function".

        Raises:
            WorkerGoneError: If no process can be started.
        """
        if not sys.executable or getattr(sys, "frozen", False):
            raise WorkerGoneError("this program has no Python of its own to start")
        # -P: the folder one happens to stand in is not searched for modules.
        command = [sys.executable, "-P", "-c", _PROGRAM, json.dumps(sys.path), function]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, with our own program
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
                pipesize=_PIPE_BYTES,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, ValueError) as error:
            raise WorkerGoneError(str(error)) from None

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until it can be asked.

        Raises:
            WorkerGoneError: If it ended instead.
        """
        if READY not in self._read().facts:
            raise WorkerGoneError("the process started is no worker")

    def ask(self, request: Message) -> Message:
        """Return its answer.

        Raises:
            WorkerGoneError: If it ended.
        """
        try:
            write_message(self._stream("stdin"), request)
        except (OSError, ValueError) as error:
            raise WorkerGoneError(str(error)) from None
        return self._read()

    def _read(self) -> Message:
        try:
            answer = read_message(self._stream("stdout"))
        except (OSError, ValueError) as error:
            raise WorkerGoneError(str(error)) from None
        if answer is None:
            raise WorkerGoneError("it ended before it had answered")
        return answer

    def _stream(self, name: str) -> BinaryIO:
        return cast(BinaryIO, getattr(self._process, name))

    def close(self) -> None:
        """End it, and wait until it is gone."""
        with suppress(OSError):
            self._stream("stdin").close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stream("stdout").close()

    def leave(self) -> None:
        """Let go of a worker of the process that this one was forked from."""
        self._stream("stdin").close()
        self._stream("stdout").close()
        self._process.returncode = 0  # not this process's child: it cannot be waited for


def is_unable(answer: Message) -> bool:
    """Return whether a worker says that it cannot answer."""
    return UNABLE in answer.facts
