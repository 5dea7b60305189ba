"""The options of the verbs that run a server, each with its help."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

TOKEN_VARIABLE = "FINDING_NEMO_TOKEN"  # noqa: S105 - a name, not a token
SHORTEST_TOKEN = 12

Port = Annotated[
    int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes any that is free.")
]
Host = Annotated[
    str,
    typer.Option(
        help="Whom to listen to: 127.0.0.1 is this machine alone, 0.0.0.0 all of its networks; "
        "others than this machine need the token."
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar=TOKEN_VARIABLE,
        show_envvar=True,
        help=f"What clients must send, {SHORTEST_TOKEN} characters or more; beyond this machine "
        "one is made and printed where none is given.",
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(help="One more name by which the server may be called, behind a proxy."),
]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")]
Reviewer = Annotated[
    str | None, typer.Option(help="Who reviews; by default the name of the login.")
]
Folder = Annotated[
    Path | None,
    typer.Option(
        help="Keep dropped frames and their reviews here, and open them again the next time; by "
        "default they are gone when the server ends."
    ),
]
MaxFiles = Annotated[int, typer.Option(min=1, help="Files of one request.")]
MaxRequestMb = Annotated[float, typer.Option(min=0.001, help="Of one request to predict.")]
MaxVideoMb = Annotated[
    float, typer.Option(min=0.001, help="Of one request that brings frames to keep.")
]
MaxQueue = Annotated[
    int, typer.Option(min=1, help="Images that may wait; more requests are told to come again.")
]
HeaderSeconds = Annotated[
    float, typer.Option(min=0.1, help="How long the head of a request may take.")
]
BodySeconds = Annotated[
    float,
    typer.Option(min=0.1, help="How long a body may take beyond what it takes at 100 kB a second."),
]


def token_for(host: str, token: str | None) -> str | None:
    """Return the token that clients must send; `None` where only this machine can ask.

    Args:
        host: Whom the server listens to.
        token: As given, if it was.

    Raises:
        typer.BadParameter: If it is too short to keep anybody out.
    """
    from finding_nemo.serving.middleware.access import is_loopback

    if token is None:
        return None if is_loopback(host) else secrets.token_urlsafe(24)
    if (
        len(token) < SHORTEST_TOKEN
        or not token.isascii()
        or not token.isprintable()
        or " " in token
    ):
        raise typer.BadParameter(
            f"--token: {SHORTEST_TOKEN} characters or more, of ASCII without spaces, are needed. "
            "Without --token one is made."
        )
    return token


def reviewer_name(name: str | None) -> str:
    """Return who reviews: the name given, else that of the login, else nothing."""
    import getpass

    if name is not None:
        return name.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without users
        return ""
