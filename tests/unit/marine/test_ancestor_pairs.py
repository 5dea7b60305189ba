"""Categories that stand above others, by hand and against the paths of the whole tree."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.names_file import write_names
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxon import Taxon
from finding_nemo.marine.taxonomy_table import shipped_table
from finding_nemo.marine.tree_paths import ancestor_pairs, related_pairs

NAMES = ["Paralomis", "Paralomis cf. papillata", "Lithodidae", "Munida", "Decapoda", "trash"]


def test_pairs__are_as_worked_by_hand() -> None:
    above = ancestor_pairs(NAMES)
    pairs = {(NAMES[i], NAMES[j]) for i, j in zip(*np.nonzero(above), strict=True)}
    assert pairs == {
        ("Paralomis", "Paralomis cf. papillata"),
        ("Lithodidae", "Paralomis"),
        ("Lithodidae", "Paralomis cf. papillata"),
        ("Decapoda", "Paralomis"),
        ("Decapoda", "Paralomis cf. papillata"),
        ("Decapoda", "Lithodidae"),
        ("Decapoda", "Munida"),
    }
    related = related_pairs(above)
    assert related.sum() == 2 * len(pairs)
    assert (related == related.T).all()


def test_pairs__of_two_names_of_one_taxon_do_not_stand_above_each_other() -> None:
    assert not ancestor_pairs(["Balticina californica", "Halipteris californica"]).any()


def test_pairs__of_the_whole_table_are_those_of_each_lineage() -> None:
    names = list(shipped_table().taxa)[::7]
    slow = [
        [a != b and any(t.name == a for t in resolve_name(b).lineage) for b in names] for a in names
    ]
    assert ancestor_pairs(names).tolist() == slow


def test_pairs__follow_a_table_of_ones_own(tmp_path: Path) -> None:
    fish = (Taxon("Blobfish", "family"), Taxon("Blob", "genus"))
    records = [
        NameRecord(
            name=fish[end].name,
            accepted=fish[end].name,
            rank=fish[end].rank,
            lineage=fish[: end + 1],
            status="accepted",
            confidence=1.0,
            how="WoRMS",
        )
        for end in range(2)
    ]
    write_names(records, tmp_path / "names.csv")
    assert not ancestor_pairs(["Blob", "Blobfish"]).any()
    found = ancestor_pairs(["Blob", "Blobfish"], names_file=tmp_path / "names.csv")
    assert found.tolist() == [[False, False], [True, False]]
