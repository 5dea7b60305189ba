"""The command `finding-nemo`: exit code 0 done, 1 the data or the run is bad, 2 wrong usage."""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer

from finding_nemo.cli.benchmark import benchmark
from finding_nemo.cli.demo import demo
from finding_nemo.cli.ensemble import ensemble
from finding_nemo.cli.evaluate import evaluate
from finding_nemo.cli.export import export
from finding_nemo.cli.inspect import inspect
from finding_nemo.cli.merge import merge
from finding_nemo.cli.novelty import novelty
from finding_nemo.cli.predict import predict
from finding_nemo.cli.score import score
from finding_nemo.cli.similar import similar
from finding_nemo.cli.split import split
from finding_nemo.cli.train import train
from finding_nemo.cli.tune import tune

# Each verb's file imports its work inside its function: `--help` must not load NumPy or torch.
app = typer.Typer(
    name="finding-nemo",
    help="Which animals are in each deep-sea frame, how far to trust it, and is it new?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_VERBS = (
    demo, inspect, split, train, predict, merge, similar, evaluate, score, benchmark, novelty,
    tune, ensemble, export,
)  # fmt: skip
for verb in _VERBS:
    app.command()(verb)

_TRAINS = "This needs what trainings need"
# What is missing, why, and the extra that brings it.
_EXTRAS = {
    **dict.fromkeys(("torch", "torchvision", "timm", "onnx", "onnxscript"), (_TRAINS, "train")),
    "matplotlib": ("This draws figures", "report"),
    "optuna": ("This searches settings", "tune"),
}


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


def run() -> None:
    """Run the command line; every error that a user can cause is one message on stderr."""
    from finding_nemo.core.errors import FindingNemoError

    try:
        app()
    except FindingNemoError as error:
        _stop(str(error))
    except KeyboardInterrupt:
        _stop("Stopped by Ctrl-C.")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        why, extra = _EXTRAS[package]
        _stop(
            f"{why}, and {package} is not installed. "
            f"Install the extra: pip install 'finding-nemo[{extra}]'."
        )
    except OSError as error:
        if error.errno == errno.EPIPE:
            sys.stderr.close()
            sys.exit(1)
        place = f" ({error.filename})" if error.filename else ""
        _stop(f"{error.strerror or error}{place}.")


def _stop(message: str) -> None:
    typer.echo(f"finding-nemo: {message}", err=True)
    sys.exit(1)
