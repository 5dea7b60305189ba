"""`finding-nemo split DATASET --by dive --out split.csv`; the ways stand in `SPLITS`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import split_options as options
from finding_nemo.cli.options.dataset_options import DatasetPath, DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import (
    check_apart_from_images,
    check_files,
    check_folder,
    check_suffix,
)
from finding_nemo.data.splits.split_kinds import SPLITS

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset, Split


EXAMPLES = (
    "finding-nemo split fathomnet/ --by dive --out split.csv",
    "finding-nemo split fathomnet/ --by dive --folds 5 --out folds.csv",
)


def split(
    dataset: DatasetPath,
    out: options.Out,
    by: options.By = "dive",
    folds: options.Folds = None,
    fraction: options.Fraction = 0.2,
    val_fraction: options.ValFraction = 0.1,
    seed: options.Seed = None,
    categories: options.Categories = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Divide a data set into train, val and test, or into folds."""
    kind = SPLITS[by]
    if categories is not None and not kind.takes_categories:
        raise typer.BadParameter(f"--categories goes with --by {options.HOLDING_OUT} only.")
    is_many = kind.takes_categories and categories is None
    if not is_many:
        check_suffix(out, "--out", ".csv")

    from finding_nemo.cli.console.notices import show_notices
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.make_split import make_split
    from finding_nemo.data.splits.split_csv import write_split

    if is_many:
        check_folder(out, overwrite=overwrite, inputs=(dataset, images))
    else:
        check_files({"--out": out}, overwrite=overwrite, inputs=(dataset,))
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    check_apart_from_images((out,), data)
    if is_many:
        show_notices(data.notices)
        _write_holdouts(data, out, fraction, val_fraction, folds, seed or 0, overwrite)
        return
    made = make_split(
        data,
        kind.name,
        fraction=fraction,
        val_fraction=val_fraction,
        folds=folds,
        seed=seed,
        categories=tuple((categories or "").split(",")),
    )
    write_split(made, out, overwrite=overwrite)
    show_notices((*data.notices, *made.notices))
    _tell(made, data, out)


def _tell(split: Split, dataset: Dataset, out: Path) -> None:
    from finding_nemo.evaluation.dataset.split_summary import summarise_split
    from finding_nemo.reporting.terminal.evaluation_text import print_line, print_split

    print_split(summarise_split(split, dataset))
    if split.unsplittable:
        names = [
            dataset.categories.names[dataset.categories.column_of(n)] for n in split.unsplittable
        ]
        print_line("on one dive only: " + "; ".join(names))
    print_result(f"split {out}")


def _write_holdouts(
    dataset: Dataset,
    out: Path,
    fraction: float,
    val_fraction: float,
    folds: int | None,
    seed: int,
    overwrite: bool,
) -> None:
    """Write one split for each hold-out that can be tested."""
    from finding_nemo.core.files.atomic_files import new_output_folder
    from finding_nemo.data.splits.category_holdouts import choose_holdouts
    from finding_nemo.data.splits.split_csv import write_split
    from finding_nemo.data.splits.splitters.by_category import split_by_novelty
    from finding_nemo.reporting.terminal.tables import print_table

    chosen = choose_holdouts(dataset)
    with new_output_folder(out, overwrite=overwrite):
        for holdout in chosen:
            made = split_by_novelty(
                dataset,
                categories=holdout.category_ids,
                fraction=fraction,
                val_fraction=val_fraction,
                folds=folds,
                seed=seed,
            )
            write_split(made, out / f"{holdout.slug}.csv")
    print_table(
        ("held out", "images", "dives", "file"),
        [(h.name, str(h.n_images), str(h.n_dives), f"{h.slug}.csv") for h in chosen],
        title=f"{len(chosen)} hold-outs in {out}",
    )
