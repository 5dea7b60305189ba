"""The verbs of the command `finding-nemo`."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from finding_nemo.cli.dataset_verbs.demo import demo
from finding_nemo.cli.dataset_verbs.inspect import inspect
from finding_nemo.cli.dataset_verbs.split import split
from finding_nemo.cli.prediction_verbs.evaluate import evaluate
from finding_nemo.cli.prediction_verbs.merge import merge
from finding_nemo.cli.prediction_verbs.predict import predict
from finding_nemo.cli.prediction_verbs.score import score
from finding_nemo.cli.prediction_verbs.similar import similar
from finding_nemo.cli.training_verbs.compare import compare
from finding_nemo.cli.training_verbs.ensemble import ensemble
from finding_nemo.cli.training_verbs.export import export
from finding_nemo.cli.training_verbs.novelty import novelty
from finding_nemo.cli.training_verbs.train import train
from finding_nemo.cli.training_verbs.tune import tune

# Each verb's file imports its work inside its function: `--help` must not load NumPy or torch.
app = typer.Typer(
    name="finding-nemo",
    help="Which animals are in each deep-sea frame, how far to trust it, and is it new?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_VERBS = (
    demo, inspect, split, train, predict, merge, similar, evaluate, score, compare, novelty,
    tune, ensemble, export,
)  # fmt: skip
for verb in _VERBS:
    app.command()(verb)


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
) -> None:
    """Which animals are in each deep-sea frame, how far to trust it, and is it new?"""
    del version
    # Without a home that can be written it warns that it takes a temporary folder; nothing is lost.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
