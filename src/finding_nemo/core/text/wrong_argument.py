"""What a function says that was given a value of a kind that it does not take."""

from __future__ import annotations

import os

from finding_nemo.core.errors import ArgumentError


def wrong_argument(where: str, takes: str, got: object) -> ArgumentError:
    """Return the error.

    Args:
        where: The function, and the argument if it is not the first: "train(split=...)".
        takes: What it takes, in words.
        got: What it got.
    """
    shown = f" {got!r}" if isinstance(got, str | int | float) and len(repr(got)) <= 60 else ""
    return ArgumentError(f"{where} takes {takes}; got {type(got).__name__}{shown}.")


def check_argument(got: object, kinds: type | tuple[type, ...], where: str, takes: str) -> None:
    """Check the kind of an argument.

    Raises:
        ArgumentError: If `got` is none of `kinds`.
    """
    if not isinstance(got, kinds):
        raise wrong_argument(where, takes, got)


def check_path(got: object, where: str, takes: str) -> None:
    """Check that an argument is a path: a text or what says a path of itself.

    Raises:
        ArgumentError: If it is not.
    """
    check_argument(got, (str, os.PathLike), where, f"{takes} (str or Path)")
