"""`finding-nemo train DATASET --recipe NAME --out RUN`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Strategy(StrEnum):
    """How several processes train."""

    ddp = "ddp"


def train(
    dataset: Annotated[Path, typer.Argument(help="A data set folder, COCO file or CSV file.")],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    recipe: Annotated[str, typer.Option(help="A recipe; README lists them.")] = "probe",
    split: Annotated[Path | None, typer.Option(help="A split file.")] = None,
    fold: Annotated[
        int | None, typer.Option(min=0, help="Of a split with folds, the one left out as test.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, as often as needed.")
    ] = None,
    modern: Annotated[
        bool, typer.Option("--modern", help="A study's recipe with the study's own next steps.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    images: Annotated[Path | None, typer.Option(help="The image folder of the data set.")] = None,
    dive_pattern: Annotated[
        str | None, typer.Option(help="Regular expression with a group named dive.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides order, initial weights and dropout.")] = 0,
    resume: Annotated[bool, typer.Option(help="Go on with an interrupted run.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier run.")] = False,
    devices: Annotated[
        int, typer.Option(min=1, help="Processes on each machine: a GPU each, or CPU processes.")
    ] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, help="Machines; give the command on each, or use torchrun.")
    ] = 1,
    strategy: Annotated[
        Strategy, typer.Option(help="How several processes train: each with the whole network.")
    ] = Strategy.ddp,
) -> None:
    """Train a recipe into a bundle."""
    from finding_nemo.cli.notices import notify, show_notices
    from finding_nemo.core.config import parse_assignments, read_toml
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.file import read_split
    from finding_nemo.training.modern import modern_settings
    from finding_nemo.training.processes import Processes
    from finding_nemo.workflows.training_run import run_training

    processes = Processes(devices, nodes=nodes, strategy=strategy.value)
    settings = {**(read_toml(config) if config else {}), **parse_assignments(changes or [])}
    if modern:
        settings = modern_settings(recipe, settings)
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    if processes.leads:
        show_notices(data.notices)
    run = run_training(
        data,
        out=out,
        recipe=recipe,
        split=read_split(split) if split else None,
        fold=fold,
        settings=settings,
        seed=seed,
        overwrite=overwrite,
        resume=resume,
        notify=notify,
        show_progress=True,
        processes=processes,
    )
    if not run.leads:
        return
    story = run.bundle.manifest.validation
    typer.echo(f"bundle {run.bundle.path}")
    typer.echo(f"hash   {run.bundle_hash}")
    if story:
        low, high = story.map_at_20_ci
        typer.echo(
            f"MAP@20 {story.map_at_20:.4f} on {story.n_images} validation images of "
            f"{story.n_dives} dives (95 % by dive {low:.3f} to {high:.3f}); "
            f"class frequency alone {story.prior_map_at_20:.4f}"
        )
