"""What labels are called in the world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from finding_nemo.exporting.taxon_names import TaxonName, TaxonNames, common_lineage, names_lookup
from finding_nemo.marine.names_file import write_names
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxon import Taxon


def test_unknown_names__stand_as_they_are_and_are_remembered() -> None:
    names = TaxonNames(names_lookup())
    assert names["trash_bag"] == TaxonName(verbatim="trash_bag", scientific="trash_bag")
    known = names["Chionoecetes tanneri"]
    assert (known.rank, known.kingdom, known.is_known) == ("species", "Animalia", True)
    assert names.unknown == ("trash_bag",)
    assert TaxonNames()["Chionoecetes tanneri"].is_known is False


def test_groups__are_the_lowest_taxon_that_holds_all_of_their_categories() -> None:
    crabs = {"Crab": ["Chionoecetes tanneri", "Paralomis cf. papillata"]}
    names = TaxonNames(names_lookup(), groups={**crabs, "Odd": ["trash_bag", "Asteroidea"]})
    found = names.of("Crab", is_group=True)
    by_hand = [
        resolve_name(name).lineage for name in ("Chionoecetes tanneri", "Paralomis cf. papillata")
    ]
    shared = [taxon for taxon in by_hand[0] if taxon in by_hand[1]]
    assert (found.scientific, found.rank) == (shared[-1].name, shared[-1].rank)
    assert (found.is_known, found.kingdom, found.qualifier) == (True, "Animalia", "")
    assert names.of("Odd", is_group=True).is_known is False  # one of its categories is no name
    assert names["Crab"].is_known is False  # a category of that name is another thing


def test_common_lineage__of_one_is_what_holds_it() -> None:
    kingdom, phylum, family = Taxon("K", "kingdom"), Taxon("P", "phylum"), Taxon("F", "family")
    other = Taxon("G", "family")
    assert common_lineage([]) == ()
    assert common_lineage([(kingdom, phylum, family)]) == (kingdom, phylum)
    assert common_lineage([(kingdom, phylum, family), (kingdom, phylum, other)]) == (
        kingdom,
        phylum,
    )
    assert common_lineage([(kingdom, phylum), (kingdom, phylum, family)]) == (kingdom, phylum)
    assert common_lineage([(kingdom,), ()]) == ()


def test_a_persons_table__comes_first(tmp_path: Path) -> None:
    own = replace(resolve_name("Chionoecetes tanneri"), aphia_id=380291)
    left_open = replace(resolve_name("Aeolidiidae sp. 1"), accepted="", confidence=0.0)
    write_names([own, left_open], tmp_path / "names.csv")
    names = TaxonNames(names_lookup(tmp_path / "names.csv"))
    assert names["Chionoecetes tanneri"].lsid == "urn:lsid:marinespecies.org:taxname:380291"
    assert names["Aeolidiidae sp. 1"].scientific == "Aeolidiidae sp. 1"
    assert names["Asteroidea"].is_known
