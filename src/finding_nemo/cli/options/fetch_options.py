"""The options of `fetch` alone, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Annotations = Annotated[
    Path,
    typer.Argument(
        help="Annotations that give addresses: a COCO file with coco_url, a folder or zip of the "
        "FathomNet 2023 competition, or a CSV file with a column url."
    ),
]
Out = Annotated[
    Path, typer.Option(help="The folder for the images; what is in it already stays as it is.")
]
SplitFile = Annotated[Path | None, typer.Option("--split", help="Only images of --part of it.")]
Part = Annotated[str | None, typer.Option(help="A part of the split, such as test.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many images.")]
Concepts = Annotated[
    Path | None,
    typer.Option(
        help="Make a new training set from FathomNet: of the names in this file, one a line. "
        "ANNOTATIONS is then the competition's data set, whose evaluation images are refused."
    ),
]
Unseen = Annotated[
    bool, typer.Option("--unseen", help="The same of all categories without a training image.")
]
MinDepth = Annotated[float | None, typer.Option(help="For a new training set: metres, at least.")]
MaxDepth = Annotated[float | None, typer.Option(help="For a new training set: metres, at most.")]
Region = Annotated[
    str | None, typer.Option(help="For a new training set: SOUTH,NORTH,WEST,EAST in degrees.")
]
Since = Annotated[str | None, typer.Option(help="For a new training set: first day, 2019-05-31.")]
Until = Annotated[str | None, typer.Option(help="For a new training set: last day.")]
PerConcept = Annotated[
    int, typer.Option(min=1, help="For a new training set: images of one concept, at most.")
]
Connections = Annotated[
    int,
    typer.Option(min=1, max=32, help="Requests at once at one server, at most; it begins with 1."),
]
Rate = Annotated[
    float,
    typer.Option(min=0.01, max=1000.0, help="Requests a second at one server, at most."),
]
Tries = Annotated[int, typer.Option(min=1, help="Tries of one address before the next one.")]
