"""The option `--dry-run`, and what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result

if TYPE_CHECKING:
    from finding_nemo.core.text.estimates import DryRun

DryRunWanted = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Write nothing: say what would be done, with time, disk and memory, or refuse it.",
    ),
]


def print_dry_run(found: DryRun) -> None:
    """Print what would be done and what it would cost."""
    from finding_nemo.reporting.terminal.result_document import give_value

    give_value("dry_run", found)
    print_result("Dry run: nothing is written. This command would")
    for work in found.work:
        print_result(f"  {work}.")
    for estimate in found.estimates:
        print_result(estimate.in_words)
