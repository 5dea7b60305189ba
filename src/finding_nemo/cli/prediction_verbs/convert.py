"""`finding-nemo convert PREDICTIONS --to KIND --out PATH`."""

from __future__ import annotations

from pathlib import Path

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import convert_options as options
from finding_nemo.cli.options.dataset_options import DivePattern
from finding_nemo.cli.options.output_options import check_files, check_folder

EXAMPLES = (
    "finding-nemo convert dive.parquet --to darwin-core --navigation nav.csv --about about.toml "
    "--out dive.zip",
    "finding-nemo convert dive.parquet --to biigle --reviews reviews.csv --out for-biigle/",
    "finding-nemo convert dive.parquet --to coco --frame-boxes --out dive.json",
)


def convert(
    predictions: options.Predictions,
    to: options.To,
    out: options.Out,
    words: options.Words = "sure",
    also_named: options.AlsoNamed = False,
    reviews: options.Reviews = None,
    navigation: options.Navigation = None,
    max_gap: options.MaxGap = 60.0,
    clock_offset: options.ClockOffset = 0.0,
    exif: options.ReadHeaders = True,
    about: options.About = None,
    names: options.Names = None,
    data: options.PlacesData = None,
    images: options.ImagesFolder = None,
    dive_pattern: DivePattern = None,
    frame_boxes: options.FrameBoxes = False,
    verify: options.Verify = True,
    overwrite: options.Overwrite = False,
) -> None:
    """Hand predictions on to OBIS, BIIGLE and other archives and annotation tools.

    Only what is sure enough is handed on, never that an animal is absent. Position, depth and time
    come from what you name; nothing is made up, and what is missing is counted.
    """
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.exporting.export_kinds import EXPORT_KINDS
    from finding_nemo.exporting.positions.frame_positions import read_position_sources
    from finding_nemo.exporting.taxon_names import names_lookup
    from finding_nemo.exporting.write_export import (
        ExportRequest,
        check_export_name,
        parse_words,
        write_export,
    )

    kind = EXPORT_KINDS[to]
    check_export_name(out, kind)
    tables = list(navigation or ())
    inputs: tuple[Path | None, ...] = (predictions, reviews, about, names, data, images, *tables)
    if kind.suffix or out.suffix.lower() == ".zip":
        check_files({"--out": out}, overwrite=overwrite, inputs=inputs)
    else:
        check_folder(out, overwrite=overwrite, inputs=inputs)
    request = ExportRequest(
        kind=to,
        words=parse_words(words),
        also_named=also_named,
        reviews=reviews,
        about=about,
        positions=read_position_sources(
            tables,
            images=images,
            max_gap_s=max_gap,
            clock_offset_s=clock_offset,
            reads_headers=exif,
        ),
        dataset=read_dataset(data, dive_pattern=dive_pattern) if data else None,
        dive_pattern=dive_pattern,
        lookup=names_lookup(names),
        frame_boxes=frame_boxes,
        verify=verify,
        overwrite=overwrite,
    )
    summary = write_export(predictions, out, request, reporter=reporter())
    show_notices(summary.notices)
    print_result(summary.in_words())
    print_result(f"{to} {out}")
