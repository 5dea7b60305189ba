"""`finding-nemo names [update] WHAT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.output_options import check_files, check_suffix

if TYPE_CHECKING:
    from finding_nemo.fetching.worms.update_names import UpdatedNames

EXAMPLES = (
    "finding-nemo names runs/nemo",
    "finding-nemo names category_key.csv --out names.csv",
    "finding-nemo names update runs/nemo",
    "finding-nemo names update runs/nemo --worms-export WoRMS_DwC-A.zip",
)
_UPDATE = "update"


def names(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="[update] WHAT",
            help="A bundle, a data set, a CSV file with a column name, or a text file with one "
            'name a line. With "update" before it, WoRMS is asked, the World Register of Marine '
            "Species.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file to write; update writes WHAT.names.csv beside it if left out.",
        ),
    ] = None,
    worms_export: Annotated[
        Path | None,
        typer.Option(
            "--worms-export",
            help="For update: a Darwin Core archive of WoRMS (zip, folder or taxon.txt), read in "
            "place of asking.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Show what animals are called: accepted name, rank, family, AphiaID."""
    check_suffix(out, "--out", ".csv")
    path, is_update = _path_in(what)
    if worms_export is not None and not is_update:
        raise typer.BadParameter("--worms-export goes with update: finding-nemo names update ...")

    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.fetching.worms.named_categories import category_names, names_path_of
    from finding_nemo.marine.names_file import known_names, write_names
    from finding_nemo.reporting.terminal.names_text import print_names
    from finding_nemo.reporting.terminal.result_document import give_value

    beside = names_path_of(path)
    if is_update:
        out = out or beside
    check_files({"--out": out}, overwrite=overwrite, inputs=(path, worms_export))
    records = tuple(known_names(category_names(path), path=beside).values())
    if is_update:
        from finding_nemo.fetching.worms.update_names import update_names

        updated = update_names(records, reporter(), export=worms_export)
        records = updated.records
    give_value("names", records)
    print_names(records)
    if is_update:
        _tell(updated)
    if out is not None:
        write_names(records, out)
        print_result(f"names {out}")


def _path_in(words: list[str]) -> tuple[Path, bool]:
    is_update = words[0] == _UPDATE and len(words) > 1
    rest = words[1:] if is_update else words
    if len(rest) != 1 or rest == [_UPDATE]:
        raise typer.BadParameter(
            f"name one bundle, data set or list, got {len(rest)}; to ask WoRMS: finding-nemo names "
            "update WHAT. A file of the name update is ./update."
        )
    return Path(rest[0]), is_update


def _tell(updated: UpdatedNames) -> None:
    if updated.n_no_science:
        print_result(f"Not asked, as they are no scientific names: {updated.n_no_science:,}.")
    if updated.not_asked:
        print_result(
            f"Could not be asked: {len(updated.not_asked):,} ({updated.why_not}). They stay as "
            "they were. The same command asks again; --worms-export FILE works without a network."
        )
