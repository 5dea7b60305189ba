"""`finding-nemo compare DATASET --recipes a,b,... --out DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import DatasetPath, DivePattern, ImagesFolder
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run
from finding_nemo.cli.options.output_options import check_folder
from finding_nemo.data.splits.split_kinds import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finding_nemo.core.records import Dataset, Split
    from finding_nemo.evaluation.recipe_comparison import ComparisonRow


EXAMPLES = (
    "finding-nemo compare fathomnet/ --recipes prior,time-copy,probe --by dive --out comparison",
)


def compare(
    dataset: DatasetPath,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    recipes: Annotated[
        str,
        typer.Option(
            help="Names with commas; study: the course study's six and two that it "
            "wished for; all: every one."
        ),
    ] = "prior,time-copy,probe",
    by: Annotated[
        str, typer.Option(help=f"Protocols with commas: {', '.join(PROTOCOLS)}.")
    ] = "dive",
    split: Annotated[
        Path | None, typer.Option(help="A split file instead of --by and --folds.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(help="Fold by fold instead of one 80/20 split.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=20, help="Only this many images, evenly chosen.")
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="key=value for the recipes that have it.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of every split and training.")] = 0,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[
        bool, typer.Option(help="Replace an earlier comparison instead of going on with it.")
    ] = False,
    resume: Annotated[
        bool, typer.Option(help="Go on with a stopped comparison, as the same command does anyway.")
    ] = False,
    dry_run: DryRunWanted = False,
) -> None:
    """Train, use and judge recipes side by side: table, curves, report.

    A comparison that was stopped goes on with the same command.
    """
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.core.config import parse_assignments
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.datasets.subsample import sample_images
    from finding_nemo.workflows.compare_recipes import compare_recipes
    from finding_nemo.workflows.comparison_request import REQUEST, comparison_request
    from finding_nemo.workflows.dry_runs.dry_run_training import dry_run_comparison

    if overwrite and resume:
        raise typer.BadParameter("--resume and --overwrite exclude each other.")
    if overwrite or not (out / REQUEST).is_file():
        check_folder(out, overwrite=overwrite, inputs=(dataset, split, images))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    show_notices(data.notices)
    if sample is not None:
        data = sample_images(data, sample)
    asked: dict[str, Any] = {
        "out": out,
        "recipes": _recipe_names(recipes),
        "splits": _splits(data, by, split, folds, seed),
        "settings": parse_assignments(changes or []),
        "seed": seed,
    }
    how: dict[str, Any] = {"overwrite": overwrite, "resume": resume, "reporter": reporter()}
    if dry_run:
        print_dry_run(dry_run_comparison(data, comparison_request(**asked), **how))
        return
    found = compare_recipes(data, **asked, **how)
    _print_rows(found.rows)
    print_result(f"report {out / 'report.html'}")
    if all(row.failure for row in found.rows):
        raise typer.Exit(1)


def _print_rows(rows: Sequence[ComparisonRow]) -> None:
    from finding_nemo.reporting.html.comparison_page import HEADER, cells, explain
    from finding_nemo.reporting.terminal.evaluation_text import print_line, print_table
    from finding_nemo.reporting.terminal.result_document import give_value

    give_value("rows", rows)
    # A reason is longer than a cell: it has a line of its own under the table.
    n_columns = HEADER.index("train s")
    lines = [
        cells(row)[:n_columns]
        if row.failure is None
        else (*cells(row)[:3], *[""] * (n_columns - 3))
        for row in rows
    ]
    print_table(HEADER[:n_columns], lines)
    for row in rows:
        if row.failure is not None:
            print_line(f"{row.recipe}, {row.protocol}, failed: {row.failure}")
    for sentence in explain(rows):
        print_line(sentence)


def _recipe_names(text: str) -> list[str]:
    from finding_nemo.training.recipes.registry import RECIPES, STUDY_RECIPES

    groups = {"study": STUDY_RECIPES, "all": tuple(RECIPES)}
    names = [name.strip() for name in text.split(",") if name.strip()]
    return list(dict.fromkeys(n for name in names for n in groups.get(name, (name,))))


def _splits(
    data: Dataset, by: str, path: Path | None, folds: int | None, seed: int
) -> dict[str, Split]:
    from finding_nemo.data.splits.make_split import make_split
    from finding_nemo.data.splits.split_csv import read_split

    if path is not None:
        return {path.stem: read_split(path)}
    ways = [way.strip() for way in by.split(",") if way.strip()]
    return {way: make_split(data, way, folds=folds, seed=seed) for way in ways}
