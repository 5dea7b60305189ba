"""`finding-nemo report PREDICTIONS --out dive.html`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.convert_options import ClockOffset, MaxGap, Navigation
from finding_nemo.cli.options.dataset_options import DivePattern
from finding_nemo.cli.options.output_options import check_files, check_folder, check_suffix

EXAMPLES = (
    "finding-nemo report dive-0297.parquet --out dive-0297.html",
    "finding-nemo report archive.parquet --images frames/ --out archive.html",
    "finding-nemo report dive-0297.parquet --navigation nav.csv --depth-band 50 --out dive.html",
)


def report(
    predictions: Annotated[Path, typer.Argument(help="A predictions file; best Parquet.")],
    out: Annotated[
        Path,
        typer.Option(help="The page to write (.html); its tables and pictures are put beside it."),
    ],
    images: Annotated[
        Path | None,
        typer.Option(help="The folder of the images, where they are not where they were."),
    ] = None,
    dive_pattern: DivePattern = None,
    title: Annotated[
        str | None, typer.Option(help="The heading; default: the dive, or the file's name.")
    ] = None,
    navigation: Navigation = None,
    max_gap: MaxGap = 60.0,
    clock_offset: ClockOffset = 0.0,
    depth_band: Annotated[
        float, typer.Option(min=0.1, help="Metres from one depth band to the next, in the tables.")
    ] = 100.0,
    verify: Annotated[
        bool, typer.Option(help="Check that a Parquet file's rows are those that were written.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace existing outputs.")] = False,
) -> None:
    """Show a dive as a page: which animals, how sure, and what to look at first."""
    check_suffix(out, "--out", ".html", ".htm")

    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.exporting.positions.frame_positions import read_position_sources
    from finding_nemo.marine.names_file import names_path_beside
    from finding_nemo.reporting.dive.dive_outputs import DiveOutputs
    from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
    from finding_nemo.reporting.html.dive_page import write_dive_page
    from finding_nemo.workflows.dive_depths import with_depths

    outputs = DiveOutputs.of(out)
    files: dict[str, Path | None] = {
        "--out": out,
        "its counts": outputs.counts,
        "its effort": outputs.effort,
        "its shares": outputs.shares,
        "its accumulation": outputs.accumulation,
    }
    check_files(files, overwrite=overwrite, inputs=(predictions, *(navigation or ())))
    check_folder(outputs.folder, overwrite=overwrite, inputs=(predictions, images))
    reporter().activity("reading the predictions")
    found = read_dive_frames(predictions, dive_pattern=dive_pattern, verify=verify)
    sources = read_position_sources(
        navigation or (),
        images=images,
        max_gap_s=max_gap,
        clock_offset_s=clock_offset,
        reads_headers=False,
    )
    found = with_depths(found, sources)
    written = write_dive_page(
        found,
        out,
        title=title or predictions.stem,
        images=images,
        overwrite=overwrite,
        reporter=reporter(),
        names_file=names_path_beside(predictions),
        depth_band_m=depth_band,
    )
    show_notices(written.notices)
    print_result(f"page {out}")
    print_result(f"tables {', '.join(str(table) for table in outputs.tables)}")
