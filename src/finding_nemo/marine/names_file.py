"""The table of names beside a bundle: written, read again, and looked up."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast, get_args

from finding_nemo.core.errors import NamesError
from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.core.files.table_files import TableWriter, read_table
from finding_nemo.core.text.cells import number_in, quoted, undefused
from finding_nemo.marine.name_record import How, NameRecord, Status
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxon import Taxon, is_rank
from finding_nemo.marine.taxonomy_table import TaxonomyTable

COLUMNS = (
    *("name", "accepted_name", "rank", "aphia_id", "lsid", "status", "confidence", "how"),
    *("qualifier", "lineage", "candidates", "source"),
)
_STEP = re.compile(r"(?P<name>.*) \[(?P<rank>[^\[\]\d]*?) ?(?P<number>\d{0,10})\]")
_ABOVE = " > "
_OR = " | "


def names_path_beside(path: Path) -> Path:
    """Return where the names of a bundle or data set stand: beside it, never inside.

    A bundle is known by the hashes of its files, so nothing is added to it.

    Example:
        >>> names_path_beside(Path("runs/nemo/bundle")).as_posix()
        'runs/nemo/bundle.names.csv'
    """
    return path.parent / f"{path.name}.names.csv"


def write_names(records: Sequence[NameRecord], path: Path) -> None:
    """Write a table of names, whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    file = io.StringIO(newline="")
    writer = TableWriter(file)
    writer.write(COLUMNS)
    for each in records:
        writer.write(
            (
                *(each.name, each.accepted, each.rank, each.aphia_id, each.lsid, each.status),
                *(each.confidence, each.how, each.qualifier, _lineage_text(each.lineage)),
                *(_OR.join(each.candidates), each.source),
            )
        )
    write_text(path, file.getvalue())


def read_names(path: Path) -> tuple[NameRecord, ...]:
    """Read a table that `write_names` wrote, or that a person changed.

    Raises:
        NamesError: If it cannot be read, with the line.
    """
    table = read_table(path, required=COLUMNS[:-1], refusal=NamesError)
    found: dict[str, NameRecord] = {}
    for row in table.rows:
        cells = {name: undefused(cell) for name, cell in row.values.items()}
        try:
            record = _record(cells, decimal_comma=table.decimal_comma)
        except ValueError as error:
            raise NamesError(f"{path}, line {row.line}: {error}.") from None
        if record.name in found:
            raise NamesError(
                f"{path}, line {row.line}: {quoted(record.name)} is there twice; leave one out."
            )
        found[record.name] = record
    return tuple(found.values())


def known_names(
    names: Sequence[str], *, path: Path | None = None, table: TaxonomyTable | None = None
) -> Mapping[str, NameRecord]:
    """Return what is known of each of `names`: by a table of names first, then by the package.

    Args:
        names: Of categories.
        path: The table beside a bundle; a file that is not there is as good as none.
        table: Of taxa, in place of the package's.

    Raises:
        NamesError: If the table cannot be read.
    """
    given = {} if path is None or not path.is_file() else {e.name: e for e in read_names(path)}
    return {name: given.get(name) or resolve_name(name, table=table) for name in names}


def _lineage_text(lineage: Sequence[Taxon]) -> str:
    steps = []
    for taxon in lineage:
        number = "" if taxon.aphia_id is None else f" {taxon.aphia_id}"
        steps.append(f"{taxon.name} [{taxon.rank}{number}]")
    return _ABOVE.join(steps)


def _record(cells: Mapping[str, str], *, decimal_comma: bool) -> NameRecord:
    confidence = number_in(cells["confidence"] or "0", decimal_comma=decimal_comma)
    if not 0.0 <= confidence <= 1.0:
        raise ValueError(f"confidence must be from 0 to 1, got {quoted(cells['confidence'])}")
    how = _one_of(cells["how"], get_args(How), "how")
    status = _one_of(cells["status"], get_args(Status), "status")
    if not is_rank(cells["rank"]):
        raise ValueError(f"{quoted(cells['rank'])} is no rank: write it as genus, in lower case")
    return NameRecord(
        name=cells["name"],
        accepted=cells["accepted_name"],
        rank=cells["rank"],
        aphia_id=_aphia_id(cells["aphia_id"]),
        lineage=tuple(map(_taxon, filter(None, cells["lineage"].split(_ABOVE)))),
        status=cast(Status, status),
        confidence=confidence,
        how=cast(How, how),
        qualifier=cells["qualifier"],
        candidates=tuple(filter(None, cells["candidates"].split(_OR))),
        source=cells.get("source", ""),
    )


def _taxon(text: str) -> Taxon:
    found = _STEP.fullmatch(text.strip())
    if found is None or not is_rank(found["rank"]):
        raise ValueError(f"{quoted(text)} is no step of a lineage: write it as NAME [RANK]")
    return Taxon(found["name"], found["rank"], _aphia_id(found["number"]))


def _aphia_id(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise ValueError(f"{quoted(text)} is no AphiaID, which is a whole number")
    return int(text)


def _one_of(text: str, allowed: Sequence[str], column: str) -> str:
    if text not in allowed:
        raise ValueError(f"{column} {quoted(text)} is unknown; known: {', '.join(allowed)}")
    return text
