"""The options of `train` alone, each with its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class StrategyName(StrEnum):
    """How several processes train."""

    ddp = "ddp"


Out = Annotated[Path, typer.Option(help="The run folder to make.")]
RecipeName = Annotated[str, typer.Option(help="A recipe; `recipes` lists them.")]
SplitFile = Annotated[Path | None, typer.Option(help="A split file.")]
Fold = Annotated[
    int | None, typer.Option(min=0, help="Of a split with folds, the one left out as test.")
]
StudyNextSteps = Annotated[
    bool,
    typer.Option("--study-next-steps", help="A study's recipe with the study's own next steps."),
]
Config = Annotated[Path | None, typer.Option(help="A TOML file of settings.")]
Seed = Annotated[int, typer.Option(help="Decides order, initial weights and dropout.")]
Reviews = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Train on reviewed frames, too: the CSV that the review page exports, "
        "id,categories[,complete][,rejected][,image][,dive].",
    ),
]
ReviewImages = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="The folder of the reviewed frames; default: that of the reviews."
    ),
]
Resume = Annotated[bool, typer.Option(help="Go on with an interrupted run, where it stopped.")]
Overwrite = Annotated[bool, typer.Option(help="Replace an earlier run.")]
Devices = Annotated[
    int, typer.Option(min=1, help="Processes on each machine: a GPU each, or CPU processes.")
]
Nodes = Annotated[
    int, typer.Option(min=1, help="Machines; give the command on each, or use torchrun.")
]
Strategy = Annotated[
    StrategyName, typer.Option(help="How several processes train: each with the whole network.")
]
