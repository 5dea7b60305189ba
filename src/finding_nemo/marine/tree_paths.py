"""The path of each category through the tree of names, and which stand above which."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import Bools
from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.names_file import known_names
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxon import MAIN_RANKS
from finding_nemo.marine.taxonomy_table import TaxonomyTable

Step = tuple[str, str]
_OWN = "category"
# Where nothing is known of a name, its supercategory stands above it.
_GROUP = "supercategory"


def tree_paths(
    names: Sequence[str],
    supercategories: Sequence[str],
    *,
    ranks: Collection[str],
    table: TaxonomyTable | None = None,
) -> tuple[tuple[tuple[Step, ...], ...], int]:
    """Return the path of each name and how many names the table of taxa knows.

    A path has the phylum, class, order, family, genus and species that hold a name, and those of
    other ranks that are names themselves. A name of no taxon of its own, such as "Paralomis cf.
    papillata", is a step of rank "category" below the taxon that holds it.

    Args:
        names: Of categories.
        supercategories: Of each; "" and "none" for none.
        ranks: The ranks that a step may have.
        table: Of taxa; the package's if left out.

    Example:
        >>> tree_paths(["Munida"], [""], ranks=MAIN_RANKS)[0][0][-2:]
        (('family', 'Munididae'), ('genus', 'Munida'))
    """
    records = [resolve_name(name, table=table) for name in names]
    paths = [
        _path(record, set(names), group, ranks)
        for record, group in zip(records, supercategories, strict=True)
    ]
    return tuple(paths), sum(record.is_resolved for record in records)


def _path(
    record: NameRecord, names: set[str], group: str, ranks: Collection[str]
) -> tuple[Step, ...]:
    steps = [
        (taxon.rank, taxon.name)
        for taxon in (record.lineage if record.is_resolved else ())
        if taxon.rank in ranks
        and (taxon.rank in MAIN_RANKS[1:] or taxon.name in names or taxon.name == record.accepted)
    ]
    if not steps and group not in ("", "none"):
        steps = [(_GROUP, group)]
    if not steps or steps[-1][1] != record.name:
        steps.append((_OWN, record.name))
    return tuple(steps)


def ancestor_pairs(
    names: Sequence[str], *, names_file: Path | None = None, table: TaxonomyTable | None = None
) -> Bools:
    """Return whether category i stands above category j, shape (categories, categories).

    Only a name that is a taxon of its own stands above others: "Paralomis cf. papillata" is below
    Paralomis, and above nothing. Two names of one taxon do not stand above each other.

    Args:
        names: Of the categories.
        names_file: A table of names, which counts before that of the package.
        table: Of taxa, in place of the package's.

    Raises:
        NamesError: If the table cannot be read.

    Example:
        >>> ancestor_pairs(["Munida", "Munididae", "trash"]).astype(int).tolist()
        [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    """
    known = known_names(names, path=names_file, table=table)
    records = [known[name] for name in names]
    columns: dict[str, list[int]] = {}
    for column, record in enumerate(records):
        if _is_taxon(record):
            columns.setdefault(record.accepted, []).append(column)
    above = np.zeros((len(names), len(names)), dtype=np.bool_)
    for column, record in enumerate(records):
        for taxon in record.lineage:
            if taxon.name != record.accepted or not _is_taxon(record):
                above[columns.get(taxon.name, []), column] = True
    return above


def related_pairs(above: Bools) -> Bools:
    """Return whether one of two categories stands above the other, shape as `above`."""
    return np.asarray(above | above.T, dtype=np.bool_)


def _is_taxon(record: NameRecord) -> bool:
    return record.is_resolved and not record.qualifier
