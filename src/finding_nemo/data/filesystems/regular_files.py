"""Local files read whole, but only regular ones and only up to a limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits

_MB = 1_000_000
_KINDS = (
    (stat.S_ISDIR, "is a folder, not an image"),
    (stat.S_ISFIFO, "is a named pipe, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
)
# Of Windows, where it keeps line ends as they are; 0 elsewhere. O_NONBLOCK: opening a pipe that
# nobody writes to returns at once.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read_regular(path: Path, limits: InputLimits) -> bytes:
    """Return the bytes of a regular file, or of one that a link leads to.

    Args:
        path: The file.
        limits: What it may cost; its size is looked at before it is read.

    Raises:
        ImageError: If it is absent, no regular file or too large, or cannot be read. The message
            does not hold the path.
    """
    try:
        # Looked at before it is opened too: opening alone can wake a device.
        _check(os.stat(path), limits)
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            _check(os.fstat(file.fileno()), limits)
            content = file.read(limits.max_file_bytes + 1)
    except ImageError:
        raise
    except (OSError, ValueError) as error:
        raise ImageError(_unreadable(error)) from None
    check_length(len(content), limits)
    return content


def read_start(path: Path, n_bytes: int) -> bytes:
    """Return the first bytes of a regular file; none of any other, or where it cannot be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        with os.fdopen(os.open(path, _FLAGS), "rb", buffering=0) as file:
            return file.read(n_bytes) or b""
    except (OSError, ValueError):
        return b""


def check_length(n_bytes: int, limits: InputLimits) -> None:
    """Refuse more bytes than one image may have.

    Raises:
        ImageError: If there are more.
    """
    if n_bytes > limits.max_file_bytes:
        raise ImageError(
            f"is {n_bytes / _MB:.0f} MB, more than the {limits.max_file_bytes / _MB:.0f} MB that "
            "are read (--max-file-mb)"
        )


def _check(status: os.stat_result, limits: InputLimits) -> None:
    for is_kind, reason in _KINDS:
        if is_kind(status.st_mode):
            raise ImageError(reason)
    check_length(status.st_size, limits)


def _unreadable(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "file not found"
    if isinstance(error, PermissionError):
        return "may not be read (permission denied)"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"cannot be read (its name is no path: {type(error).__name__})"
