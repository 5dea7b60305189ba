"""`finding-nemo adaptation-curve DATASET --out DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import (
    Changes,
    DatasetPath,
    DivePattern,
    ImagesFolder,
)
from finding_nemo.cli.options.output_options import check_folder

EXAMPLES = (
    "finding-nemo adaptation-curve fathomnet/ --recipe probe --folds 4 --out curve",
    "finding-nemo adaptation-curve fathomnet/ --predictions a.parquet --predictions b.parquet "
    "--out curve",
)


def adaptation_curve(
    dataset: DatasetPath,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    recipe: Annotated[str, typer.Option(help="What to train on each fold.")] = "probe",
    folds: Annotated[int, typer.Option(min=2, help="Folds by dive.")] = 4,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(
            help="Instead of training: predictions with embeddings of dives that their bundle did "
            "not see, one file a fold."
        ),
    ] = None,
    changes: Changes = None,
    draws: Annotated[
        int,
        typer.Option(min=0, help="Settings to try on the dives of the other folds; 0: as shipped."),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of every split, training and draw.")] = 0,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier curve.")] = False,
) -> None:
    """Show how many frames of a new dive one has to look at: figure, table, simple ways beside.

    Reviews are simulated from the data set's labels, on dives that training did not see.
    """
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.core.config import parse_assignments
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.reporting.figures.review_curve_figure import curve_rows
    from finding_nemo.reporting.terminal.evaluation_text import print_table
    from finding_nemo.workflows.run_adaptation_curve import run_adaptation_curve

    files = predictions or []
    check_folder(out, overwrite=overwrite, inputs=(dataset, images, *files))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    show_notices(data.notices)
    curve = run_adaptation_curve(
        data,
        out,
        predictions=files,
        recipe=recipe,
        folds=folds,
        settings=parse_assignments(changes or []),
        draws=draws,
        seed=seed,
        overwrite=overwrite,
        reporter=reporter(),
    )
    header, *rows = curve_rows(curve)
    print_table(header, rows)
    print_result(f"curve {out / 'curve.png'}")
