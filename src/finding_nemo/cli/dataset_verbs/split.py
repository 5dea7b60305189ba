"""`finding-nemo split DATASET --by dive|video|random|time|novel --out split.csv`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import DatasetPath, DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import (
    check_apart_from_images,
    check_files,
    check_folder,
    check_suffix,
)

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset, Split


class By(StrEnum):
    """What keeps images together."""

    DIVE = "dive"
    VIDEO = "video"
    RANDOM = "random"
    TIME = "time"
    NOVEL = "novel"


def split(
    dataset: DatasetPath,
    out: Annotated[
        Path, typer.Option(help="The split file; a folder for --by novel without --categories.")
    ],
    by: Annotated[By, typer.Option(help="What to divide by; dive is the honest one.")] = By.DIVE,
    folds: Annotated[
        int | None, typer.Option(help="Make this many folds instead of parts.")
    ] = None,
    fraction: Annotated[float, typer.Option(help="Share of images for the part test.")] = 0.2,
    val_fraction: Annotated[
        float, typer.Option(help="Share of images for the part val; 0 for none.")
    ] = 0.1,
    seed: Annotated[
        int | None, typer.Option(help="Default 0; for random 42, the course study's.")
    ] = None,
    categories: Annotated[
        str | None,
        typer.Option(
            help="For novel: ids or names to hold out, with commas; without, one split for each "
            "category that can be held out."
        ),
    ] = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Divide a data set into train, val and test, or into folds."""
    if by is not By.NOVEL and categories is not None:
        raise typer.BadParameter("--categories goes with --by novel only.")
    is_many = by is By.NOVEL and categories is None
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
        by.value,
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
    from finding_nemo.data.splits.by_category import split_by_novelty
    from finding_nemo.data.splits.category_holdouts import choose_holdouts
    from finding_nemo.data.splits.split_csv import write_split
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
