"""What a reader does with a fault of a file: it stops, or gives the fault on and reads further."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from finding_nemo.core.errors import FindingNemoError

# Takes one fault, as the error that a reader would stop with; if it returns, reading goes on.
OnFault = Callable[[FindingNemoError], None]


def stop_at_fault(error: FindingNemoError) -> NoReturn:
    """Stop at the first fault, as every reader does that is not asked for all of them.

    Raises:
        FindingNemoError: `error` itself.
    """
    raise error from None


def pass_over_fault(error: FindingNemoError) -> None:
    """Pass a fault over that was told when the file was read before."""
    del error
