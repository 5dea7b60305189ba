"""The options of every verb that say how much is told while it works."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

_PANEL = "What is told on stderr"
_OPTIONS: dict[str, Any] = {
    "quiet": Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Only results and errors.", rich_help_panel=_PANEL),
    ],
    "verbose": Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Also what developers want to know.", rich_help_panel=_PANEL
        ),
    ],
    "log_json": Annotated[
        bool,
        typer.Option("--log-json", help="One JSON object a line.", rich_help_panel=_PANEL),
    ],
}


def with_reporter(verb: Callable[..., None]) -> Callable[..., None]:
    """Return the verb with `--quiet`, `--verbose` and `--log-json` beside its own options."""

    @wraps(verb)
    def reported(
        *args: Any, quiet: bool = False, verbose: bool = False, log_json: bool = False, **own: Any
    ) -> None:
        from finding_nemo.cli.console.notices import reporting

        if quiet + verbose + log_json > 1:
            raise typer.BadParameter("--quiet, --verbose and --log-json exclude each other.")
        with reporting(quiet=quiet, verbose=verbose, log_json=log_json):
            verb(*args, **own)

    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=False, annotation=option)
        for name, option in _OPTIONS.items()
    ]
    hints = get_type_hints(verb, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(verb).parameters.items()
    ]
    reported.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    reported.__annotations__ = {**hints, **_OPTIONS}
    return reported
