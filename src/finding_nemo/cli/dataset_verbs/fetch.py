"""`finding-nemo fetch ANNOTATIONS --out DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import fetch_options as options
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run

if TYPE_CHECKING:
    from finding_nemo.fetching.fathomnet.concept_query import ConceptFilter
    from finding_nemo.fetching.fetch_images import FetchSummary

EXAMPLES = (
    "finding-nemo fetch object_detection/train.json --out images/ --dry-run",
    "finding-nemo fetch fathomnet/ --out fathomnet/images/",
    "finding-nemo fetch train.json --out images/ --split split.csv --part test",
    "finding-nemo fetch fathomnet/ --out unseen/ --unseen --min-depth 800",
)
# More reasons than fit a screen stand in the table of what is missing.
_SHOWN_REASONS = 8


def fetch(
    annotations: options.Annotations,
    out: options.Out,
    split: options.SplitFile = None,
    part: options.Part = None,
    limit: options.Limit = None,
    concepts: options.Concepts = None,
    unseen: options.Unseen = False,
    min_depth: options.MinDepth = None,
    max_depth: options.MaxDepth = None,
    region: options.Region = None,
    since: options.Since = None,
    until: options.Until = None,
    per_concept: options.PerConcept = 500,
    connections: options.Connections = 5,
    rate: options.Rate = 10.0,
    tries: options.Tries = 10,
    dry_run: DryRunWanted = False,
) -> None:
    """Download images by the addresses in their annotations; the same command goes on."""
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together.")
    filters = (min_depth, max_depth, region, since, until)
    is_new = unseen or concepts is not None
    if not is_new and any(each is not None for each in filters):
        raise typer.BadParameter(
            "--min-depth, --max-depth, --region, --since and --until choose the images of a new "
            "training set: add --concepts FILE or --unseen."
        )
    if is_new and (split is not None or (unseen and concepts is not None) or dry_run):
        raise typer.BadParameter(
            "Give one of --concepts and --unseen, without --split and --dry-run: what there is "
            "to fetch is known only when FathomNet has been asked."
        )

    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.fetching.fetch_images import FetchRequest, dry_run_fetch, fetch_images
    from finding_nemo.fetching.transfer.politeness import Politeness

    politeness = Politeness(connections=connections, per_s=rate, tries=tries)
    if is_new:
        annotations = _gather(
            annotations,
            out,
            concepts=concepts,
            politeness=politeness,
            wanted=_wanted(*filters, per_concept=per_concept),
        )
        out = out / "images"
    request = FetchRequest(
        annotations=annotations,
        folder=out,
        split=read_split(split) if split else None,
        part=part,
        limit=limit,
        politeness=politeness,
    )
    if dry_run:
        print_dry_run(dry_run_fetch(request))
        return
    _print(fetch_images(request, reporter()))


def _wanted(
    min_depth: float | None,
    max_depth: float | None,
    region: str | None,
    since: str | None,
    until: str | None,
    *,
    per_concept: int,
) -> ConceptFilter:
    from finding_nemo.fetching.fathomnet.concept_query import (
        ConceptFilter,
        parse_day,
        parse_region,
    )

    return ConceptFilter(
        min_depth_m=min_depth,
        max_depth_m=max_depth,
        region=None if region is None else parse_region(region),
        since=None if since is None else parse_day(since),
        until=None if until is None else parse_day(until),
        per_concept=per_concept,
    )


def _gather(annotations: Path, out: Path, **choices: Any) -> Path:
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.fetching.fetch_training_set import TrainingSetRequest, gather_training_set

    request = TrainingSetRequest(annotations=annotations, folder=out, **choices)
    path = gather_training_set(request, reporter())
    print_result(f"annotations {path}, where each image is from: {path.parent / 'provenance.csv'}")
    return path


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
    n_other = sum(bool(image.note) for image in found.fetched)
    if n_other:
        print_result(
            f"{n_other:,} of them have another size than the annotations say, so that boxes may "
            "not fit: see the column note"
        )
    if found.missing_path is not None:
        n_missing = len(found.missing)
        are = "is missing, with" if n_missing == 1 else "are missing, each with"
        print_result(f"{n_missing:,} {are} why: {found.missing_path}")
    if found.is_cut_off:
        print_result(
            "No server could be reached. Is this machine online? A proxy is named by the variable "
            "HTTPS_PROXY."
        )
