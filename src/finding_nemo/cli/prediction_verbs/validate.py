"""`finding-nemo validate FILE...`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.choices import choice_type
from finding_nemo.cli.options.reporter_options import AsJson
from finding_nemo.core.text.plurals import in_number

if TYPE_CHECKING:
    from finding_nemo.validating.fault_list import FileReport

EXAMPLES = (
    "finding-nemo validate probe.parquet reviews.csv split.csv runs/probe/bundle",
    "finding-nemo validate --schema predictions",
)
# The names of `FILE_FORMATS`, which a test holds against it: a verb's help loads no formats.
_NAMES = ("predictions", "table", "bundle", "reviews", "split", "submission")
if TYPE_CHECKING:
    _Format = str
else:
    _Format = choice_type("Format", _NAMES)


def validate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...", help="Predictions, reviews, splits, submissions; folders of bundles."
        ),
    ] = None,
    as_format: Annotated[
        _Format | None, typer.Option("--as", help="What the files are, whatever they look like.")
    ] = None,
    schema: Annotated[
        _Format | None, typer.Option(help="Print the JSON Schema of a format, and check nothing.")
    ] = None,
    most: Annotated[
        int, typer.Option(min=1, help="How many faults of a file to list; all are counted.")
    ] = 1000,
    as_json: AsJson = False,
) -> None:
    """Check files against their formats and list all that is wrong with them, at once."""
    if (schema is None) == (not files):
        raise typer.BadParameter("Name the files to check, or a format with --schema.")
    if schema is not None:
        from finding_nemo.validating.format_schemas import format_schema

        print_result(json.dumps(format_schema(str(schema)), indent=2))
        return

    from finding_nemo.validating.validate_file import validate_file

    wanted = None if as_format is None else str(as_format)
    reports = [validate_file(path, format_name=wanted, most=most) for path in files or ()]
    if as_json:
        document = {"files": [report.to_json() for report in reports]}
        print_result(json.dumps(document, indent=2))
    else:
        for report in reports:
            _print(report)
    if not all(report.is_good for report in reports):
        raise typer.Exit(1)


def _print(report: FileReport) -> None:
    n_rows = "" if report.n_rows is None else f", {report.n_rows:,} rows"
    kind = report.format_name or "not known"
    verdict = "good" if report.is_good else in_number(report.n_faults, "fault")
    print_result(f"{report.path}: {verdict} ({kind}: {report.reason}{n_rows})")
    for fault in report.faults:
        print_result(f"  {fault.sentence}")
    more = report.n_faults - len(report.faults)
    if more:
        print_result(f"  and {more:,} more; --most {report.n_faults} lists them all")
