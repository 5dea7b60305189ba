"""Which categories stand above which in the tree of names, as a family above its species."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from finding_nemo.core.arrays import Bools
from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.names_file import known_names
from finding_nemo.marine.taxonomy_table import TaxonomyTable


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
