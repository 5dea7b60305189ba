"""The options of every verb that say how much is told while it works, and in which form."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

_PANEL = "What is told on stderr"
_AS_JSON = "as_json"
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

AsJson = Annotated[
    bool,
    typer.Option("--json", help="Results as one JSON document on stdout, for programs."),
]
# They end when somebody stops them, and print no result.
_WITHOUT_RESULTS = ("serve", "review")


def with_reporter(verb: Callable[..., None]) -> Callable[..., None]:
    """Return the verb with `--quiet`, `--verbose`, `--log-json`, `--json` beside its own options.

    A verb that has a `--json` of its own keeps that.
    """
    hints = get_type_hints(verb, include_extras=True)
    takes_json = verb.__name__ not in _WITHOUT_RESULTS and not _has_json(hints)

    @wraps(verb)
    def reported(
        *args: Any, quiet: bool = False, verbose: bool = False, log_json: bool = False, **own: Any
    ) -> None:
        from finding_nemo.cli.console.notices import reporting

        if quiet + verbose + log_json > 1:
            raise typer.BadParameter("--quiet, --verbose and --log-json exclude each other.")
        as_json = takes_json and own.pop(_AS_JSON, False)
        with reporting(quiet=quiet, verbose=verbose, log_json=log_json):
            if as_json:
                _carry_out_as_json(verb, *args, **own)
            else:
                verb(*args, **own)

    options = {**_OPTIONS, **({_AS_JSON: AsJson} if takes_json else {})}
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=False, annotation=option)
        for name, option in options.items()
    ]
    own = [
        parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(verb).parameters.items()
    ]
    reported.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    reported.__annotations__ = {**hints, **options}
    return reported


def _has_json(hints: Mapping[str, Any]) -> bool:
    """Return whether a verb has an option `--json` of its own."""
    found = (each for hint in hints.values() for each in getattr(hint, "__metadata__", ()))
    # Of an annotation the first name stands where the default of a call would.
    return any(
        "--json" in (getattr(each, "default", None), *(getattr(each, "param_decls", None) or ()))
        for each in found
    )


def _carry_out_as_json(verb: Callable[..., None], *args: Any, **own: Any) -> None:
    """Carry out a verb and print its results as one document, also where it ends with a code."""
    from finding_nemo.cli.console.words import print_result
    from finding_nemo.reporting.terminal.result_document import ResultDocument, into_document

    document = ResultDocument(verb.__name__.replace("_", "-"))
    try:
        with into_document(document):
            verb(*args, **own)
    except typer.Exit:
        print_result(document.text())
        raise
    print_result(document.text())
