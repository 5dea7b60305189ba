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
Out = Annotated[Path, typer.Option(help="The file to write.")]
Format = Annotated[
    FormatName | None,
    typer.Option("--format", help=f"By default what --out ends in. {describe(FORMATS.values())}."),
]
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
    bool, typer.Option("--embeddings", help="Keep the network's features, for `similar`.")
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
