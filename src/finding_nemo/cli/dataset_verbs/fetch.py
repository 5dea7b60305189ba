"""`finding-nemo fetch ANNOTATIONS --out DIR`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import fetch_options as options
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run

if TYPE_CHECKING:
    from finding_nemo.fetching.fetch_images import FetchSummary

EXAMPLES = (
    "finding-nemo fetch object_detection/train.json --out images/ --dry-run",
    "finding-nemo fetch fathomnet/ --out fathomnet/images/",
    "finding-nemo fetch train.json --out images/ --split split.csv --part test",
)
# More reasons than fit a screen stand in the table of what is missing.
_SHOWN_REASONS = 8


def fetch(
    annotations: options.Annotations,
    out: options.Out,
    split: options.SplitFile = None,
    part: options.Part = None,
    limit: options.Limit = None,
    connections: options.Connections = 5,
    rate: options.Rate = 10.0,
    tries: options.Tries = 10,
    dry_run: DryRunWanted = False,
) -> None:
    """Download images by the addresses in their annotations; the same command goes on."""
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together.")

    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.fetching.fetch_images import FetchRequest, dry_run_fetch, fetch_images
    from finding_nemo.fetching.transfer.politeness import Politeness

    request = FetchRequest(
        annotations=annotations,
        folder=out,
        split=read_split(split) if split else None,
        part=part,
        limit=limit,
        politeness=Politeness(connections=connections, per_s=rate, tries=tries),
    )
    if dry_run:
        print_dry_run(dry_run_fetch(request))
        return
    _print(fetch_images(request, reporter()))


def _print(found: FetchSummary) -> None:
    from finding_nemo.reporting.terminal.tables import print_columns

    if found.missing:
        rows = [
            (f"{n:,} missing", reason) for reason, n in list(found.reasons.items())[:_SHOWN_REASONS]
        ]
        n_more = len(found.reasons) - len(rows)
        if n_more:
            rows.append(("", f"and {n_more} more reasons"))
        print_columns(rows)
    print_result(
        f"{len(found.fetched):,} of {found.n_images:,} images are here ({found.n_new:,} of them "
        f"new): {found.fetched_path}"
    )
    if found.missing_path is not None:
        print_result(f"{len(found.missing):,} are missing, each with why: {found.missing_path}")
