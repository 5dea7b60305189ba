"""A table of taxa of one's own, for names that the package's table does not know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from finding_nemo.core.errors import NamesError
from finding_nemo.core.files.table_files import read_table
from finding_nemo.core.text.cells import quoted, undefused
from finding_nemo.marine.taxon import Taxon, is_rank
from finding_nemo.marine.taxonomy_table import TaxonomyTable, shipped_table

COLUMNS = ("name", "rank", "parent")


def read_taxa(path: Path) -> TaxonomyTable:
    """Return the tree of a table of taxa, with the package's tree behind it.

    Args:
        path: A CSV file with the columns `name`, `rank` ("species", "genus", ...) and `parent`:
            the name of the taxon above, empty at the top. `aphia_id` and `sources` may be there.
            A parent may be a taxon of the package. A name that the package has, too, counts as the
            table has it.

    Raises:
        NamesError: If it cannot be read, with the line.
    """
    shipped = shipped_table()
    taxa: dict[str, Taxon] = {}
    parents: dict[str, str] = {}
    sources: dict[str, str] = {}
    lines: dict[str, int] = {}
    for row in read_table(path, required=COLUMNS, refusal=NamesError).rows:
        cells = {name: undefused(cell).strip() for name, cell in row.values.items()}
        where, name = f"{path}, line {row.line}", cells["name"]
        if not name:
            raise NamesError(f"{where}: a taxon needs a name.")
        if name in taxa:
            raise NamesError(f"{where}: {quoted(name)} is there twice; leave one out.")
        taxa[name] = _taxon(cells, where)
        parents[name], sources[name] = cells["parent"], cells.get("sources", "")
        lines[name] = row.line
    if not taxa:
        raise NamesError(f"{path} holds no taxon; it needs at least one line below its header.")
    table = TaxonomyTable(
        {**shipped.taxa, **taxa},
        {**shipped.parents, **parents},
        shipped.others,
        {**shipped.sources, **sources},
    )
    _check_parents(table, lines, path)
    return table


def _taxon(cells: Mapping[str, str], where: str) -> Taxon:
    rank, number = cells["rank"], cells.get("aphia_id", "")
    if not is_rank(rank):
        raise NamesError(f"{where}: {quoted(rank)} is no rank: write it as genus, in lower case.")
    if number and not (number.isascii() and number.isdecimal() and len(number) <= 10):
        raise NamesError(f"{where}: {quoted(number)} is no AphiaID, which is a whole number.")
    return Taxon(cells["name"], rank, int(number) if number else None)


def _check_parents(table: TaxonomyTable, lines: Mapping[str, int], path: Path) -> None:
    """Refuse a parent that is no taxon, and one that stands below its own child."""
    is_whole = {""}
    for name, line in lines.items():
        above: list[str] = []
        at = name
        while at not in is_whole:
            if at not in table.taxa:
                raise NamesError(
                    f"{path}, line {lines.get(above[-1], line)}: the parent {quoted(at)} is no "
                    "taxon of the table or of the package; give it a line of its own."
                )
            if at in above:
                raise NamesError(
                    f"{path}, line {line}: {quoted(at)} stands above itself; correct a parent."
                )
            above.append(at)
            at = table.parents[at]
        is_whole.update(above)
