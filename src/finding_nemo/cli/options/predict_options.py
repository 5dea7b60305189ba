"""The arguments and options of `predict`, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.options.choices import choice_type
from finding_nemo.core.names.inference_names import (
    DTYPE_OPTIONS,
    DTYPES,
    RUNTIME_OPTIONS,
    RUNTIMES,
)
from finding_nemo.core.names.registries import describe
from finding_nemo.results.prediction_formats import FORMATS

if TYPE_CHECKING:
    from finding_nemo.results.schema import SpreadsheetLayout

    FormatName = str
    DtypeName = str
    RuntimeName = str
else:
    FormatName = choice_type("FormatName", FORMATS)
    DtypeName = choice_type("DtypeName", DTYPE_OPTIONS)
    RuntimeName = choice_type("RuntimeName", RUNTIME_OPTIONS)

Bundle = Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it.")]
Images = Annotated[
    list[str],
    typer.Argument(
        help="Image files, folders, patterns, URLs, lists (- for stdin), tars, videos, "
        "or data sets."
    ),
]
Ranks = Annotated[
    bool,
    typer.Option(
        "--ranks",
        help="Where a species is not sure, answer with its genus, family, order, ...: for "
        "categories that are names of the tree of life.",
    ),
]
Taxa = Annotated[
    Path | None,
    typer.Option(
        help="With --ranks: a CSV of taxa for names that the package does not know, with the "
        "columns name, rank (species, genus, ...) and parent (the taxon above, empty at the top)."
    ),
]
Out = Annotated[Path, typer.Option(help="The file to write.")]
Format = Annotated[
    FormatName | None,
    typer.Option("--format", help=f"By default what --out ends in. {describe(FORMATS.values())}."),
]
Guesses = Annotated[
    int | None,
    typer.Option(min=1, max=20, help="Of a CSV file: how many guesses stand in a row (default 5)."),
]
Ids = Annotated[
    bool,
    typer.Option(
        "--ids", help="Of a CSV file: ids beside the names, and OUT.categories.csv beside it."
    ),
]


def spreadsheet_layout(guesses: int | None, ids: bool, file_format: str) -> SpreadsheetLayout:
    """Return what a CSV file for people holds.

    Raises:
        typer.BadParameter: If the options are given for a file of another format.
    """
    from finding_nemo.results.schema import USUAL_SPREADSHEET, SpreadsheetLayout

    if file_format != "csv" and (guesses is not None or ids):
        raise typer.BadParameter(
            f"--guesses and --ids are of a CSV file; a {file_format} file always holds the 20 best "
            "guesses with their ids."
        )
    usual = USUAL_SPREADSHEET.guesses
    return SpreadsheetLayout(usual if guesses is None else guesses, with_ids=ids)


Vector = Annotated[bool, typer.Option("--vector/--no-vector", help="Keep every probability.")]
Precision = Annotated[
    float, typer.Option(help="Name a category where this share of its names should be right.")
]
Split = Annotated[Path | None, typer.Option(help="A split file; with --part, only that part.")]
Part = Annotated[str | None, typer.Option(help="The part of the split to predict.")]
Origin = Annotated[
    str | None, typer.Option(help="Of a data set, only the images of train or eval.")
]
Every = Annotated[
    str | None, typer.Option(help="Of a video, one frame every 1s, 500ms, 2min (default 1s).")
]
Embeddings = Annotated[
    bool,
    typer.Option(
        "--embeddings",
        help="Keep the network's features: `review`, `adapt`, `suggest` and `similar` need them.",
    ),
]
Maps = Annotated[
    bool,
    typer.Option(
        "--maps/--no-maps",
        help="Keep where in the frame the 5 best guesses are seen, where the network can tell.",
    ),
]
ShardOf = Annotated[str, typer.Option(help="Only share i of n, as i/n; `merge` joins the files.")]
EngineName = Annotated[str, typer.Option(help="local, or ray: a cluster, or this machine as one.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Of the engine ray; default: one a core.")]
MaxMegapixels = Annotated[
    float, typer.Option(min=0.000001, help="Larger images are a row with that reason.")
]
MaxFileMb = Annotated[
    float, typer.Option(min=0.000001, help="Larger files are a row with that reason.")
]
MaxSeconds = Annotated[
    float, typer.Option(min=0.001, help="How long a server may take to send one image.")
]
Overwrite = Annotated[
    bool, typer.Option(help="Replace an existing file or another command's unfinished run.")
]


Dtype = Annotated[
    DtypeName,
    typer.Option(
        help="What it computes in; auto: the fastest that export checked. "
        f"{describe(DTYPES.values())}."
    ),
]
Runtime = Annotated[
    RuntimeName,
    typer.Option(
        help="What computes; auto: a GPU, else the first that is installed. "
        f"{describe(RUNTIMES.values())}."
    ),
]
Device = Annotated[
    str,
    typer.Option(
        help="Where it computes: cpu, cuda, cuda:1 (the second card), tensorrt; auto: a GPU where "
        "one can be used, else the CPU."
    ),
]
