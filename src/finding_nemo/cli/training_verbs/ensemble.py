"""`finding-nemo ensemble RUN RUN... --out RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from finding_nemo.cli.console.run_lines import print_run
from finding_nemo.cli.options.bundle_dataset import read_dataset_of, split_of
from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run
from finding_nemo.cli.options.output_options import check_folder

EXAMPLES = ("finding-nemo ensemble runs/nemo runs/probe --out runs/both",)


def ensemble(
    bundles: Annotated[
        list[Path],
        typer.Argument(help="Two bundles or more of one split, or the run folders that hold them."),
    ],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    shares: Annotated[
        list[float] | None,
        typer.Option("--share", help="Weight of each, in their order; by default alike."),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="What they were trained on, if that has moved.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="Their split.csv, if it is not beside the first bundle.")
    ] = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier run.")] = False,
    dry_run: DryRunWanted = False,
) -> None:
    """Make one bundle of several, which says the mean of what they say; it costs their sum."""
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.training.ensemble.ensemble_members import check_out
    from finding_nemo.training.ensemble.make_ensemble import make_ensemble
    from finding_nemo.workflows.dry_runs.dry_run_ensemble import dry_run_ensemble

    reads = (dataset, split, images)
    if not overwrite:
        check_folder(out, overwrite=False, inputs=reads)
    loaded = [load_bundle(path) for path in bundles]
    check_out(loaded, out)
    check_folder(out, overwrite=overwrite, inputs=reads)
    data = read_dataset_of(loaded[0], dataset=dataset, images=images, dive_pattern=dive_pattern)
    show_notices(data.notices)
    how: dict[str, Any] = {
        "out": out,
        "shares": shares,
        "overwrite": overwrite,
        "reporter": reporter(),
    }
    parts = split_of(loaded[0], split)
    if dry_run:
        print_dry_run(dry_run_ensemble(loaded, data, parts, **how))
        return
    print_run(make_ensemble(loaded, data, parts, **how))
