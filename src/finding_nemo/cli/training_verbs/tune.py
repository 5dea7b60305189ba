"""`finding-nemo tune DATASET --recipe NAME --out DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import train_options as options
from finding_nemo.cli.options.dataset_options import Changes, DatasetPath, DivePattern, ImagesFolder
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run
from finding_nemo.cli.options.output_options import check_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finding_nemo.workflows.tune_settings import Trial

_SHOWN = 10

Tries = Annotated[
    list[str] | None,
    typer.Option(
        "--try",
        help="key=low..high, key=low..high:log or key=a,b,c; by default the recipe's usual.",
    ),
]
Minutes = Annotated[float | None, typer.Option(min=0, help="No trial begins after so many.")]


EXAMPLES = ("finding-nemo tune fathomnet/ --recipe probe --minutes 60 --out tuned",)


def tune(
    dataset: DatasetPath,
    out: Annotated[Path, typer.Option(help="The folder to make, or to go on in.")],
    recipe: options.RecipeName = "probe",
    tries: Tries = None,
    trials: Annotated[int, typer.Option(min=1, help="Sets of settings in all.")] = 20,
    minutes: Minutes = None,
    folds: Annotated[int, typer.Option(min=2, help="Inner folds, by dive.")] = 3,
    split: options.SplitFile = None,
    fold: options.Fold = None,
    changes: Changes = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    seed: options.Seed = 0,
    overwrite: Annotated[bool, typer.Option(help="Begin anew.")] = False,
    dry_run: DryRunWanted = False,
) -> None:
    """Search a recipe's settings on inner folds of the training dives; test dives stay unseen."""
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.core.config import parse_assignments
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.training.recipes.registry import find_recipe
    from finding_nemo.training.recipes.search_space import search_space
    from finding_nemo.workflows import tune_settings as tuning
    from finding_nemo.workflows.dry_runs.dry_run_tuning import dry_run_tuning

    settings = parse_assignments(changes or [])
    space = search_space(find_recipe(recipe), tries or [], common=settings)
    if overwrite or not (out / tuning.SEARCH).is_file():
        check_folder(out, overwrite=overwrite, inputs=(dataset, split, images))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    show_notices(data.notices)
    asked: dict[str, Any] = {
        "out": out,
        "recipe": recipe,
        "folds": tuning.inner_folds(
            data, read_split(split) if split else None, fold, n_folds=folds, seed=seed
        ),
        "trials": trials,
        "minutes": minutes,
        "settings": settings,
        "seed": seed,
        "overwrite": overwrite,
    }
    if dry_run:
        print_dry_run(dry_run_tuning(data, **asked))
        return
    found = tuning.tune(data, space=space, reporter=reporter(), **asked)
    _print(found, out, recipe)


def _print(found: Sequence[Trial], out: Path, recipe: str) -> None:
    from finding_nemo.reporting.html.page import format_score
    from finding_nemo.reporting.terminal.result_document import give_value
    from finding_nemo.reporting.terminal.tables import print_line, print_table
    from finding_nemo.workflows import tune_settings as tuning

    give_value("trials", found)
    print_table(
        ("settings", "MAP@20", "own ranking", "by probability", "inner folds", "state"),
        [
            (
                tuning.in_words(trial),
                format_score(trial.map_at_20),
                format_score(trial.rankings.own),
                format_score(trial.rankings.calibrated),
                str(trial.n_folds),
                trial.state,
            )
            for trial in found[:_SHOWN]
        ],
        title=f"the best of {len(found)} trials",
    )
    both = tuning.best_and_own(found)
    if both is not None:
        best, own = both
        print_line(
            f"best {best.map_at_20:.4f}, the recipe as it is {own.map_at_20:.4f}, on dives that "
            "chose the settings: the difference flatters. Train with them and judge on other dives."
        )
    if (out / tuning.BEST).is_file():
        print_result(f"finding-nemo train DATASET --recipe {recipe} --config {out / tuning.BEST}")
