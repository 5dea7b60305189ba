"""The verbs of the command `finding-nemo`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.adaptation_verbs.adapt import adapt
from finding_nemo.cli.adaptation_verbs.adaptation_curve import adaptation_curve
from finding_nemo.cli.adaptation_verbs.suggest import suggest
from finding_nemo.cli.command_file_group import CommandFileGroup, refuse_late_config
from finding_nemo.cli.dataset_verbs.demo import demo
from finding_nemo.cli.dataset_verbs.fetch import fetch
from finding_nemo.cli.dataset_verbs.inspect import inspect
from finding_nemo.cli.dataset_verbs.names import names
from finding_nemo.cli.dataset_verbs.split import split
from finding_nemo.cli.options.reporter_options import with_reporter
from finding_nemo.cli.prediction_verbs.convert import convert
from finding_nemo.cli.prediction_verbs.evaluate import evaluate
from finding_nemo.cli.prediction_verbs.explain import explain
from finding_nemo.cli.prediction_verbs.look import look
from finding_nemo.cli.prediction_verbs.merge import merge
from finding_nemo.cli.prediction_verbs.predict import predict
from finding_nemo.cli.prediction_verbs.report import report
from finding_nemo.cli.prediction_verbs.score import score
from finding_nemo.cli.prediction_verbs.similar import similar
from finding_nemo.cli.prediction_verbs.validate import validate
from finding_nemo.cli.serving_verbs.review import review
from finding_nemo.cli.serving_verbs.serve import serve
from finding_nemo.cli.training_verbs.compare import compare
from finding_nemo.cli.training_verbs.declare import declare
from finding_nemo.cli.training_verbs.ensemble import ensemble
from finding_nemo.cli.training_verbs.export import export
from finding_nemo.cli.training_verbs.novelty import novelty
from finding_nemo.cli.training_verbs.recipes import recipes
from finding_nemo.cli.training_verbs.train import train
from finding_nemo.cli.training_verbs.tune import tune

_HELP = {"help_option_names": ["-h", "--help"]}

# Each verb's file imports its work inside its function: `--help` must not load NumPy or torch.
app = typer.Typer(
    name="finding-nemo",
    cls=CommandFileGroup,
    help="Which animals are in each deep-sea frame, how far to trust it, and is it new?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)
_VERBS: tuple[Callable[..., None], ...] = (
    demo,
    fetch,
    inspect,
    names,
    split,
    recipes,
    train,
    predict,
    look,
    explain,
    evaluate,
    report,
    convert,
    serve,
    review,
    compare,
    suggest,
    adapt,
    adaptation_curve,
    similar,
    merge,
    validate,
    score,
    novelty,
    tune,
    ensemble,
    export,
    declare,
)


def _epilog(verb: Callable[..., None]) -> str:
    """Return the examples of a verb's file; the empty lines keep them apart in its help."""
    examples: tuple[str, ...] = sys.modules[verb.__module__].EXAMPLES
    return "\n\n".join(("Examples:", *examples))


for verb in _VERBS:
    app.command(epilog=_epilog(verb), context_settings=_HELP)(with_reporter(verb))


def _print_version(wanted: bool) -> None:
    if wanted:
        from finding_nemo.core.provenance import package_version

        typer.echo(f"finding-nemo {package_version()}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A whole command from a TOML file: its verb, arguments and options by name, and a "
            "table of settings. What stands behind it on the command line wins; paths in the file "
            "are from the present folder.",
        ),
    ] = None,
) -> None:
    """Which animals are in each deep-sea frame, how far to trust it, and is it new?"""
    del version
    refuse_late_config(config)
    # Without a home that can be written it warns that it takes a temporary folder; nothing is lost.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
