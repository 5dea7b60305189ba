"""The options of `convert`, with what stands in its help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.options.choices import choice_type
from finding_nemo.core.names.registries import describe
from finding_nemo.exporting.export_kinds import EXPORT_KINDS

if TYPE_CHECKING:
    KindName = str
else:
    KindName = choice_type("KindName", EXPORT_KINDS)

Predictions = Annotated[Path, typer.Argument(help="A predictions file (Parquet).")]
To = Annotated[KindName, typer.Option(help=f"The form. {describe(EXPORT_KINDS.values())}.")]
Out = Annotated[Path, typer.Option(help="The file or folder to write; a folder in .zip is packed.")]
Words = Annotated[str, typer.Option(help="How sure an answer must be: sure, or sure,likely.")]
AlsoNamed = Annotated[
    bool,
    typer.Option(help="Also hand on what else a frame is said to show at the wanted precision."),
]
Reviews = Annotated[
    Path | None, typer.Option(help="What people saw: id,categories,... (.csv, as review saves it).")
]
Navigation = Annotated[
    list[Path] | None,
    typer.Option(
        help="Where the vehicle was: a table by time or by file name, or an iFDO file (.json); as "
        "often as needed.",
        show_default=False,
    ),
]
MaxGap = Annotated[
    float,
    typer.Option(
        min=0.0, help="Seconds between two entries that may be filled by a straight line."
    ),
]
ClockOffset = Annotated[
    float,
    typer.Option(help="Seconds to add to the frames' times before they are looked up in a track."),
]
ReadHeaders = Annotated[
    bool, typer.Option("--exif/--no-exif", help="Read position and time from the images' headers.")
]
About = Annotated[
    Path | None,
    typer.Option(help="What people know of the data set: title, license, contact, ... (.toml)."),
]
Names = Annotated[
    Path | None,
    typer.Option(help="A table of names, as `finding-nemo names` writes it (.csv)."),
]
PlacesData = Annotated[
    Path | None, typer.Option("--data", help="A data set that knows the images' dives and times.")
]
ImagesFolder = Annotated[
    Path | None,
    typer.Option("--images", help="The folder of the images; a fetch's list in it is read, too."),
]
FrameBoxes = Annotated[
    bool,
    typer.Option(
        help="Give labels of whole frames a box of the frame's size, where the form has no other."
    ),
]
Verify = Annotated[bool, typer.Option(help="Check that a file's rows are those that were written.")]
Overwrite = Annotated[bool, typer.Option(help="Replace an existing output.")]
