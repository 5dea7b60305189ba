"""What labels are called in the world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from finding_nemo.exporting.taxon_names import TaxonName, TaxonNames, names_lookup
from finding_nemo.marine.names_file import write_names
from finding_nemo.marine.resolve_names import resolve_name


def test_unknown_names__stand_as_they_are_and_are_remembered() -> None:
    names = TaxonNames(names_lookup())
    assert names["trash_bag"] == TaxonName(verbatim="trash_bag", scientific="trash_bag")
    known = names["Chionoecetes tanneri"]
    assert (known.rank, known.kingdom, known.is_known) == ("species", "Animalia", True)
    assert names.unknown == ("trash_bag",)
    assert TaxonNames()["Chionoecetes tanneri"].is_known is False


def test_a_persons_table__comes_first(tmp_path: Path) -> None:
    own = replace(resolve_name("Chionoecetes tanneri"), aphia_id=380291)
    left_open = replace(resolve_name("Aeolidiidae sp. 1"), accepted="", confidence=0.0)
    write_names([own, left_open], tmp_path / "names.csv")
    names = TaxonNames(names_lookup(tmp_path / "names.csv"))
    assert names["Chionoecetes tanneri"].lsid == "urn:lsid:marinespecies.org:taxname:380291"
    assert names["Aeolidiidae sp. 1"].scientific == "Aeolidiidae sp. 1"
    assert names["Asteroidea"].is_known
