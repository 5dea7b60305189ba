"""Files that keep two processes from writing the same output at once.

The operating system lets a lock go with the process that holds it, however that ends: what a
killed process leaves behind blocks nobody.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from finding_nemo.core.errors import OtherRunError, OutputError
from finding_nemo.core.files.atomic_files import lock_file, raise_no_space


@contextmanager
def held_alone(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file `path` while the block lasts, and remove it then.

    Args:
        path: Beside what is written, in a folder that is made if need be.
        doing: What another process is told that this one does, "trains into RUN".

    Raises:
        OtherRunError: If another process holds it.
        OutputError: If it cannot be made.
    """
    lock = _taken(path, doing)
    try:
        yield
    finally:
        # Removed while it is still held: nobody can take a file that is about to go.
        with suppress(OSError):  # Windows removes no open file; an empty one may stay
            path.unlink()
        lock.close()


def refuse_held(path: Path, doing: str) -> None:
    """Check that no other process holds the lock file `path`; nothing is made or changed.

    Raises:
        OtherRunError: If one does.
    """
    with suppress(FileNotFoundError), path.open(encoding="utf-8") as lock:
        if lock_file(lock.fileno()) is False:
            raise _busy(lock, doing)


def _busy(lock: TextIO, doing: str) -> OtherRunError:
    return OtherRunError(
        f"Another process{_who(lock)} {doing} now. Wait for it, or choose another output."
    )


def _taken(path: Path, doing: str) -> TextIO:
    while True:
        lock = _opened(path)
        if lock_file(lock.fileno()) is False:
            with lock:
                raise _busy(lock, doing)
        # One that has just ended may have removed the file between opening and locking it.
        if _is_still(lock, path):
            lock.truncate(0)
            lock.write(f"{os.getpid()} {socket.gethostname()}")
            lock.flush()
            return lock
        lock.close()


def _opened(path: Path) -> TextIO:
    try:
        with raise_no_space(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("a+", encoding="utf-8")
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"Cannot write {path.parent}: {error.strerror or error}.") from error


def _is_still(lock: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _who(lock: TextIO) -> str:
    lock.seek(0)
    number, _, host = lock.read(300).partition(" ")
    if not number.isdecimal():
        return ""
    return f" (pid {number})" if host == socket.gethostname() else f" (pid {number} on {host})"
