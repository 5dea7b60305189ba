"""`finding-nemo merge SHARDS... --out FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    shards: Annotated[
        list[Path], typer.Argument(help="The files of all shards of one run, in any order.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    file_format: Annotated[
        str, typer.Option("--format", help="parquet, csv, jsonl or submission.")
    ] = "parquet",
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Join what `predict --shard i/n` wrote: order restored, completeness checked."""
    from finding_nemo.results.merge import merge_shards
    from finding_nemo.results.writers import check_format

    summary = merge_shards(shards, out, file_format=check_format(file_format), overwrite=overwrite)
    failed = f", {summary.n_failed} of them failed" if summary.n_failed else ""
    typer.echo(f"{out}: {summary.n_images} images{failed}.")
    typer.echo(f"content sha256 {summary.content_sha256}")
