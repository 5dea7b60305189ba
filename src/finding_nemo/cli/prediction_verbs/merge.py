"""`finding-nemo merge SHARDS... --out FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dry_run_option import DryRunWanted, print_dry_run
from finding_nemo.cli.options.predict_options import Format, Guesses, Ids, spreadsheet_layout

EXAMPLES = ("finding-nemo merge part-1.parquet part-2.parquet --out all.parquet",)


def merge(
    shards: Annotated[
        list[Path], typer.Argument(help="The files of all shards of one run, in any order.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    file_format: Format = None,
    guesses: Guesses = None,
    ids: Ids = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
    dry_run: DryRunWanted = False,
) -> None:
    """Join what `predict --shard i/n` wrote: order restored, completeness checked."""
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.core.errors import SettingsError
    from finding_nemo.core.files.output_checks import check_output_file
    from finding_nemo.results.merge_shards import dry_run_merge, merge_shards
    from finding_nemo.results.prediction_formats import choose_format

    check_output_file(out, overwrite=overwrite, inputs=shards)
    try:
        chosen = choose_format(out, file_format)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from None
    layout = spreadsheet_layout(guesses, ids, chosen)
    if dry_run:
        print_dry_run(dry_run_merge(shards, out, file_format=chosen, overwrite=overwrite))
        return
    summary = merge_shards(shards, out, file_format=chosen, overwrite=overwrite, layout=layout)
    if summary.warning:
        reporter().warning(summary.warning)
    failed = f", {summary.n_failed} of them failed" if summary.n_failed else ""
    print_result(f"{out}: {summary.n_images} images{failed}.")
    print_result(f"content sha256 {summary.content_sha256}")
