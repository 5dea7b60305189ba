"""`finding-nemo train DATASET --recipe NAME --out RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from finding_nemo.cli.console.run_lines import print_run
from finding_nemo.cli.options import train_options as options
from finding_nemo.cli.options.dataset_options import (
    Changes,
    DivePattern,
    ImagesFolder,
    OptionalDatasetPath,
)
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run
from finding_nemo.cli.options.output_options import check_folder

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset, Split

EXAMPLES = (
    "finding-nemo train fathomnet/ --out runs/probe",
    "finding-nemo train fathomnet/ --recipe nemo --split split.csv --out runs/nemo",
    "finding-nemo train fathomnet/ --recipe nemo --split split.csv --out runs/nemo --resume",
    "finding-nemo train fathomnet/ --out runs/long --set epochs=60 --set dropout=0.5",
    "finding-nemo train fathomnet/ --split split.csv --reviews reviews.csv --review-images frames/ "
    "--out runs/more",
    "finding-nemo train --reviews reviews.csv --review-images frames/ --out runs/own",
)


class _Reviews(NamedTuple):
    path: Path | None
    images: Path | None


def train(
    out: options.Out,
    dataset: OptionalDatasetPath = None,
    recipe: options.RecipeName = "probe",
    split: options.SplitFile = None,
    fold: options.Fold = None,
    changes: Changes = None,
    study_next_steps: options.StudyNextSteps = False,
    config: options.Config = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    reviews: options.Reviews = None,
    review_images: options.ReviewImages = None,
    seed: options.Seed = 0,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    devices: options.Devices = 1,
    nodes: options.Nodes = 1,
    strategy: options.Strategy = options.StrategyName.ddp,
    dry_run: DryRunWanted = False,
) -> None:
    """Train a recipe into a bundle."""
    from finding_nemo.cli.console.notices import reporter, show_notices

    # Loading torch takes seconds, on busy cores half a minute.
    with reporter().display("starting"):
        from finding_nemo.core.config import parse_assignments
        from finding_nemo.data.splits.split_csv import read_split
        from finding_nemo.training.loop.distributed import ProcessGroup
        from finding_nemo.training.recipes.study_next_steps import with_study_next_steps
        from finding_nemo.training.train_recipe import check_training
        from finding_nemo.workflows.dry_runs.dry_run_training import dry_run_training
        from finding_nemo.workflows.train_with_curves import run_training

        group = ProcessGroup(devices, nodes=nodes, strategy=strategy.value)
        settings = {**_settings_in(config), **parse_assignments(changes or [])}
        if study_next_steps:
            settings = with_study_next_steps(recipe, settings)
        if group.is_main and (overwrite or not out.exists()):
            check_folder(out, overwrite=overwrite, inputs=(dataset, split, config, images, reviews))
        asked_reviews = _Reviews(reviews, review_images or (None if dataset else images))
        base = _read_base(dataset, images, dive_pattern, reviews)
        parts = read_split(split) if split else None
        data, parts = _with_reviews(base, parts, asked_reviews, fold=fold, seed=seed)
    if group.is_main:
        show_notices(data.notices)
    asked: dict[str, Any] = {
        "out": out,
        "recipe": recipe,
        "split": parts,
        "fold": fold if parts is None or parts.is_folds or reviews is None else None,
        "settings": settings,
        "seed": seed,
        "overwrite": overwrite,
        "resume": resume,
        "reporter": reporter(),
        "group": group,
    }
    if dry_run:
        print_dry_run(dry_run_training(check_training(data, **asked), resume=resume))
        return
    run = run_training(data, **asked, with_adaptation=True)
    if run.is_main:
        print_run(run)


def _read_base(
    path: Path | None, images: Path | None, dive_pattern: str | None, reviews: Path | None
) -> Dataset | None:
    """Return the data set, `None` where reviews alone are trained on."""
    from finding_nemo.data.dataset import read_dataset

    if path is not None:
        return read_dataset(path, images=images, dive_pattern=dive_pattern)
    if reviews is None:
        raise typer.BadParameter("Name a data set, or the reviews to train on with --reviews.")
    return None


def _with_reviews(
    base: Dataset | None, split: Split | None, asked: _Reviews, *, fold: int | None, seed: int
) -> tuple[Dataset, Split | None]:
    """Return what is trained on, with the reviews, and its split; `None`: one is made."""
    from finding_nemo.workflows.reviews.reviewed_dataset import add_reviews
    from finding_nemo.workflows.reviews.split_of_reviews import split_with_reviews

    if asked.path is None:
        if base is None or asked.images is not None:
            raise typer.BadParameter("--review-images goes with --reviews; give both or neither.")
        return base, split
    data = add_reviews(base, asked.path, images=asked.images)
    if base is None:
        return data, split
    return data, split_with_reviews(base, data, split, fold=fold, seed=seed)


def _settings_in(path: Path | None) -> dict[str, Any]:
    from finding_nemo.cli.command_file import VERB
    from finding_nemo.core.config import read_toml
    from finding_nemo.core.errors import SettingsError

    settings = {} if path is None else read_toml(path)
    if VERB in settings:
        raise SettingsError(
            f"{path} holds a whole command; train --config takes settings alone. Give the command "
            f"with: finding-nemo --config {path}"
        )
    return settings
