"""Words for the person at the terminal; names of files are shown in them, never obeyed."""

from __future__ import annotations

import sys

from finding_nemo.core.errors import OutputError
from finding_nemo.core.text.printable import printable
from finding_nemo.reporting.terminal.result_document import current_document


def print_result(text: str) -> None:
    """Write one line to stdout: a result, for people and for scripts.

    Raises:
        OutputError: If that cannot be written.
        BrokenPipeError: If nobody reads any more.
    """
    document = current_document()
    if document is not None:
        document.lines.append(text)
        return
    try:
        sys.stdout.write(f"{safe(text)}\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Cannot write standard output: {error.strerror}.") from error


def safe(text: str) -> str:
    """Return `text` with control characters shown instead of sent; lines stay lines."""
    return "\n".join(printable(line) for line in text.splitlines())
