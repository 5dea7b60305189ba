"""What ended a command, as one message on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback

from finding_nemo.cli.console.stopping import STOPPED_BY_CTRL_C, Stops
from finding_nemo.cli.console.streams import flush_streams
from finding_nemo.cli.console.words import safe
from finding_nemo.core.errors import FindingNemoError, StoppedError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.files.atomic_files import users_path

TRACEBACK_VARIABLE = "FINDING_NEMO_TRACEBACK"
_TRAINS = "This needs what trainings need"
_OF_SERVERS = ("fastapi", "starlette", "uvicorn", "h11", "python_multipart", "prometheus_client")
# What is missing, why, and the extra that brings it.
_EXTRAS = {
    **dict.fromkeys(("torch", "torchvision", "timm", "onnx", "onnxscript"), (_TRAINS, "train")),
    "optuna": ("This searches settings", "tune"),
    "httpx": ("This downloads images", "fetch"),
    **dict.fromkeys(_OF_SERVERS, ("This runs a server", "serve")),
}


def exit_code_of(error: BaseException, stops: Stops) -> int:
    """Tell what ended the command, and return the exit code.

    Args:
        error: What was raised.
        stops: Whether the program was asked to stop.
    """
    if os.environ.get(TRACEBACK_VARIABLE) and not isinstance(error, SystemExit):
        traceback.print_exception(error)
    code = _code_of_exit(error) if isinstance(error, SystemExit) else 1
    is_stopped = stops.number is not None or isinstance(error, KeyboardInterrupt | StoppedError)
    # Typer makes code 130 of a KeyboardInterrupt.
    if is_stopped or code == STOPPED_BY_CTRL_C:
        own = isinstance(error, FindingNemoError)
        stops.is_told = True
        print_error(str(error) if own else f"Stopped by {stops.cause}.")
        return stops.code
    if not isinstance(error, SystemExit):
        print_error(_message_of(error))
    return code


def _code_of_exit(stop: SystemExit) -> int:
    if isinstance(stop.code, str):
        print_error(stop.code)
        return 1
    return stop.code or 0


def print_error(message: str) -> None:
    """Write one message to stderr; control characters are shown, not sent."""
    if message:
        try:
            sys.stderr.write(f"finding-nemo: {safe(message)}\n")
        except OSError:
            flush_streams()


def _message_of(error: BaseException) -> str:
    """Return the message for a person; "" where nobody listens any more."""
    if isinstance(error, FindingNemoError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if package in _EXTRAS:
            why, extra = _EXTRAS[package]
            return f"{why}, and {package} is not installed. {install_hint(extra)}"
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, MemoryError):
        words = f" ({error})" if str(error) else ""
        return (
            f"Not enough memory{words}. Close other programs, or give the work in smaller pieces "
            "(fewer images at once, a smaller batch_size, --shard i/n)."
        )
    if isinstance(error, RecursionError):
        return "An input is nested too deeply to be read (RecursionError)."
    if isinstance(error, UnicodeError):
        return f"A text is not in the encoding that it should be in: {error}."
    return (
        f"An unexpected fault: {type(error).__name__}: {error}. This is a bug of finding-nemo; "
        f"please report it with the lines that the same command shows with {TRACEBACK_VARIABLE}=1."
    )


def _of_system(error: OSError) -> str:
    if error.errno == errno.EPIPE and flush_streams() == "":
        return ""
    position = f" ({users_path(str(error.filename))})" if error.filename else ""
    words = error.strerror or str(error) or type(error).__name__
    return f"{words}{position}."
