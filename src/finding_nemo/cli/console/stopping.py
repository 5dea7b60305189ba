"""Ctrl-C and SIGTERM: the first stops the work in order, the second ends the program at once.

The first raises `KeyboardInterrupt`, so that files are closed and what is finished is kept. Threads
of runtimes may be busy for seconds then, and an interpreter that is interrupted while it waits for
them aborts ("terminate called without an active exception"). So the second leaves without waiting:
every output is written beside its place and renamed, which makes that safe at any moment.

Only modules of the interpreter are imported here: the handlers must stand before the rest loads.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
STOPPED_BY_CTRL_C = 128 + int(signal.SIGINT)
_AGAIN_AFTER_S = 0.05
_SHOW_CURSOR = b"\x1b[?25h"


class Stops:
    """What asked this program to stop, if anything did."""

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self.number: int | None = None
        self.is_told = False  # whether a message of the end is on the screen
        self._before: dict[int, object] = {}
        self._pipe: int | None = None
        self._enough = 2
        self._hook = sys.unraisablehook

    @property
    def code(self) -> int:
        """The exit code that shells expect of a program that was stopped."""
        return STOPPED_BY_CTRL_C if self.number is None else 128 + self.number

    @property
    def cause(self) -> str:
        """What stopped it, in words."""
        return "Ctrl-C" if self.number in (None, signal.SIGINT) else "SIGTERM"

    def listen(self) -> None:
        """Take both signals, except those that whoever started the program lets it ignore."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._asked)
        sys.unraisablehook = self._swallowed
        # Python runs a handler between two of its own steps. A runtime may be in one step for
        # seconds, so a thread that waits on a pipe counts too.
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        self._pipe = writer
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._count, args=(reader,), daemon=True).start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _asked(self, number: int, frame: object) -> None:
        del frame
        if self.number is not None:
            self.leave()
        self.number = number
        raise KeyboardInterrupt

    def _swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Ask once more where Python could not raise: in a destructor or a runtime's callback."""
        if self.number is None or not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._hook(unraisable)
            return
        again, self.number = self.number, None
        self._enough += 1
        threading.Timer(_AGAIN_AFTER_S, os.kill, (os.getpid(), again)).start()

    def _count(self, reader: int) -> None:
        asked = 0
        with suppress(OSError):
            while numbers := os.read(reader, 64):
                asked += sum(number in self._before for number in numbers)
                if asked >= self._enough:
                    self.leave()
            os.close(reader)

    def leave(self) -> None:
        """End the program at once, with the processes that it started; never without a word."""
        if not self.is_told:
            self.is_told = True
            with suppress(OSError):
                os.write(2, f"finding-nemo: Stopped by {self.cause}.\n".encode())
        if os.isatty(2):
            with suppress(OSError):
                os.write(2, _SHOW_CURSOR)  # a progress bar hides it
        _end_children()
        os._exit(self.code)

    def end(self, code: int, *, is_program: bool) -> None:
        """Exit with `code`; once stopped, without waiting for threads that are still busy.

        Args:
            code: The exit code.
            is_program: Whether the interpreter ends with this command; else its handlers are put
                back as they were.

        Raises:
            SystemExit: Unless the program was stopped.
        """
        if self.number is not None and is_program:
            self.is_told = True
            self.leave()
        for number, handler in self._before.items():
            # An interpreter that ends has no use for a KeyboardInterrupt.
            at_end = lambda *_: os._exit(STOPPED_BY_CTRL_C)  # noqa: E731
            signal.signal(number, at_end if is_program else handler)  # type: ignore[arg-type]
        self._forget_pipe()
        sys.unraisablehook = self._hook
        sys.exit(code)

    def _forget_pipe(self) -> None:
        if self._pipe is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._pipe)  # the thread's read ends
            self._pipe = None

    def _forget(self) -> None:
        """In a forked process: be interrupted as if nothing had been listening."""
        if self._pipe is None:
            return
        with suppress(ValueError, OSError):
            signal.set_wakeup_fd(-1)
            for number in self._before:
                plain = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
                signal.signal(number, plain)


def _end_children() -> None:
    """Kill the processes of pools, which would wait for work for ever."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        with suppress(Exception):
            for child in multiprocessing.active_children():
                child.kill()
