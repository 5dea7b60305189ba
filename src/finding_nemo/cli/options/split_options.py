"""The options of `split` alone, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.options.choices import choice_type
from finding_nemo.core.names.registries import describe
from finding_nemo.data.splits.split_kinds import SPLITS

if TYPE_CHECKING:
    SplitName = str
else:
    SplitName = choice_type("SplitName", SPLITS)

# The ways that take --categories, in words.
HOLDING_OUT = ", ".join(kind.name for kind in SPLITS.values() if kind.takes_categories)

Out = Annotated[
    Path,
    typer.Option(help=f"The split file; a folder for --by {HOLDING_OUT} without --categories."),
]
By = Annotated[SplitName, typer.Option(help=f"What to divide by. {describe(SPLITS.values())}.")]
Folds = Annotated[int | None, typer.Option(help="Make this many folds instead of parts.")]
Fraction = Annotated[float, typer.Option(help="Share of images for the part test.")]
ValFraction = Annotated[float, typer.Option(help="Share of images for the part val; 0 for none.")]
Seed = Annotated[int | None, typer.Option(help="Default 0; for random 42, the course study's.")]
Categories = Annotated[
    str | None,
    typer.Option(
        help=f"For {HOLDING_OUT}: ids or names to hold out, with commas; without, one split for "
        "each category that can be held out."
    ),
]
Overwrite = Annotated[bool, typer.Option(help="Replace an existing file.")]
