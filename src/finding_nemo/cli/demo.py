"""`finding-nemo demo`: the whole way on a data set that the package draws itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="The folder to make.")] = Path("finding-nemo-demo"),
    images: Annotated[int, typer.Option(min=60, help="Frames to draw.")] = 1400,
    seed: Annotated[int, typer.Option(help="Seed of the drawing, the split and the training.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier demo.")] = False,
) -> None:
    """Draw deep-sea frames, then inspect, split by dive, train, predict, evaluate and submit."""
    from finding_nemo.workflows.demo import run_demo

    outputs = run_demo(out, images=images, seed=seed, overwrite=overwrite)
    for what, path in outputs.items():
        typer.echo(f"{what:<12} {path}")
