"""Paths of categories through the tree of names."""

from __future__ import annotations

from finding_nemo.marine.taxon import MAIN_RANKS
from finding_nemo.marine.tree_paths import tree_paths


def test_a_path__has_the_main_ranks_and_ends_at_the_name() -> None:
    (squat, open_name, trash, lone), n_known = tree_paths(
        ["Munida", "Paralomis cf. papillata", "trash_can", "rov"],
        ["Squat lobster", "Crab", "Trash", "none"],
        ranks=MAIN_RANKS,
    )
    assert n_known == 2
    assert squat == (
        ("phylum", "Arthropoda"),
        ("class", "Malacostraca"),
        ("order", "Decapoda"),
        ("family", "Munididae"),
        ("genus", "Munida"),
    )
    assert open_name[-2:] == (("genus", "Paralomis"), ("category", "Paralomis cf. papillata"))
    assert trash == (("supercategory", "Trash"), ("category", "trash_can"))
    assert lone == (("category", "rov"),)


def test_a_path__of_a_name_that_has_moved_ends_below_what_it_is_now() -> None:
    (path,), _ = tree_paths(["Halipteris californica"], [""], ranks=MAIN_RANKS)
    assert path[-2:] == (
        ("species", "Balticina californica"),
        ("category", "Halipteris californica"),
    )
