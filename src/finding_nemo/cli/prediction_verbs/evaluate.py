"""`finding-nemo evaluate PREDICTIONS DATASET`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import (
    check_apart_from_images,
    check_files,
    check_suffix,
)

if TYPE_CHECKING:
    from finding_nemo.core.records import Split
    from finding_nemo.evaluation.evaluation_results import Evaluation

EXAMPLES = (
    "finding-nemo evaluate dive.parquet fathomnet/ --split split.csv --part test --out report.html",
)


def evaluate(
    predictions: Annotated[Path, typer.Argument(help="A predictions file.")],
    dataset: Annotated[Path, typer.Argument(help="The data set that holds the truth.")],
    split: Annotated[
        Path | None, typer.Option(help="The split: it says what training may have seen.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="The part of the split to judge.")] = None,
    out: Annotated[Path | None, typer.Option(help="An HTML report to write.")] = None,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json",
            help="A JSON file of all figures to write; - for stdout, with nothing else there.",
        ),
    ] = None,
    ignore_ancestors: Annotated[
        bool,
        typer.Option(
            "--ignore-ancestors",
            help="Score also without guesses that stand above or below a true category in the "
            "tree of names, as Macrouridae does above Coryphaenoides acrolepis: they are neither "
            "right nor wrong. The competition counts them as wrong.",
        ),
    ] = False,
    taxa: Annotated[
        Path | None,
        typer.Option(help="The table of taxa that predict --ranks --taxa was given."),
    ] = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    verify: Annotated[
        bool,
        typer.Option(
            help="Check that a Parquet file's rows are those that were written: about 40 ms for "
            "10,000 rows of 290 categories."
        ),
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace existing outputs.")] = False,
) -> None:
    """Score predictions, with the trivial baselines beside them."""
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together.")
    check_suffix(out, "--out", ".html", ".htm")
    is_on_stdout = json_file == Path("-")
    json_file = None if is_on_stdout else json_file
    check_suffix(json_file, "--json", ".json")

    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.core.files.atomic_files import write_text
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.evaluation.dataset.same_categories import match_categories
    from finding_nemo.evaluation.evaluate_predictions import evaluate as evaluate_table
    from finding_nemo.marine.names_file import names_path_beside
    from finding_nemo.marine.taxa_file import read_taxa
    from finding_nemo.models.bundle.training_split import read_training_split
    from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
    from finding_nemo.reporting.terminal.evaluation_text import print_evaluation
    from finding_nemo.results.reading.readers import read_predictions

    outputs = {"--out": out, "--json": json_file}
    check_files(outputs, overwrite=overwrite, inputs=(predictions, dataset, split, taxa))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    check_apart_from_images(outputs.values(), data)
    table = read_predictions(predictions, verify=verify)
    data, matched = match_categories(table, data)
    names_file = names_path_beside(dataset)
    found = evaluate_table(
        table,
        data,
        split=read_split(split) if split else None,
        part=part,
        ignore_ancestors=ignore_ancestors,
        names_file=names_file,
        taxa=None if taxa is None else read_taxa(taxa),
    )
    notices = found.notices
    found = _with_trained_frames(found, read_training_split(table.metadata, predictions.parent))
    show_notices((*matched, *notices, f"the prior is taken from {found.prior_source}."))
    if is_on_stdout:
        print_result(found.to_json())
    else:
        print_evaluation(found, names_file=names_file)
    if json_file is not None:
        write_text(json_file, found.to_json())
    if out is not None:
        write_evaluation_page(
            found, data.categories, out, overwrite=overwrite, names_file=names_file
        )
        (reporter().message if is_on_stdout else print_result)(f"report {out}")


def _with_trained_frames(found: Evaluation, split: Split | None) -> Evaluation:
    """Warn of judged frames that were trained on, here and in what is written."""
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.evaluation.dataset.trained_frames import warned_of_trained_frames

    warned = warned_of_trained_frames(found, split)
    if warned is not found:
        reporter().warning(warned.notices[0].removeprefix("WARNING: "))
    return warned
