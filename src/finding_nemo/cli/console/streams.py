"""Standard input, output and error, made fit for whatever started the program."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from contextlib import suppress
from typing import TextIO

# Signs of tables and sentences that an ASCII terminal has a plain form for.
_PLAIN = {"\u2013": "-", "\u2014": "-", "\u2026": "...", "\u00d7": "x", "\u00b5": "u"}
_ERRORS = "finding-nemo-plain"


def ready_streams() -> None:
    """Make every stream usable: closed ones lead nowhere, and no name is too strange to be shown.

    A closed descriptor is given to the next file that is opened, so what is written to "stdout"
    could end in a data set. So descriptors 0, 1 and 2 are filled first. `sys.stdin` stays `None`
    where it was closed: who reads it must say so.
    """
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    sys.stdout = _fit(sys.stdout)
    sys.stderr = _fit(sys.stderr)


def _fit(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        codecs.register_error(_ERRORS, _plainly)
        reconfigure(errors=_ERRORS)
    return stream


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode what a stream cannot: a plain sign where there is one, else a backslash escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    if sign in _PLAIN:
        return _PLAIN[sign], error.start + 1
    single = UnicodeEncodeError(
        error.encoding, error.object, error.start, error.start + 1, error.reason
    )
    return codecs.backslashreplace_errors(single)


def flush_streams() -> str | None:
    """Send what was said on its way, and return why that is not possible, "" if nobody listens.

    A reader such as `head` that has seen enough is no fault to tell of.
    """
    reason: str | None = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            _lead_nowhere(stream)
            is_gone = isinstance(error, OSError) and error.errno == errno.EPIPE
            words = error.strerror if isinstance(error, OSError) else str(error)
            reason = reason or ("" if is_gone else f"Cannot write standard output: {words}.")
    return reason


def _lead_nowhere(stream: TextIO) -> None:
    """Let the interpreter, which flushes once more at its end, find no fault."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
