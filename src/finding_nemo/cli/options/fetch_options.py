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
Connections = Annotated[
    int,
    typer.Option(min=1, max=32, help="Requests at once at one server, at most; it begins with 1."),
]
Rate = Annotated[
    float,
    typer.Option(min=0.01, max=1000.0, help="Requests a second at one server, at most."),
]
Tries = Annotated[int, typer.Option(min=1, help="Tries of one address before the next one.")]
