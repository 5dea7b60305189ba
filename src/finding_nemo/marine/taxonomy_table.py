"""The tree of names that ships with the package, and the names that stand for others."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Literal, cast

from finding_nemo.marine.spelling import SpellingIndex
from finding_nemo.marine.taxon import Taxon

TABLE_DATE = "2026-11"
_SUBGENUS = re.compile(r"^(\S+) \([^()\s]+\) (\S+)$")
_BLANKS = re.compile(r"[\s_]+")

Kind = Literal["synonym", "group", "informal"]


@dataclass(frozen=True, slots=True)
class OtherName:
    """A name that is no taxon of the tree, and the one that stands for it.

    Attributes:
        kind: "synonym" (another name is accepted), "group" (of several taxa) or "informal".
        stands_for: A taxon, or another name.
        source: Where that comes from.
    """

    kind: Kind
    stands_for: str
    source: str


@dataclass(frozen=True)
class TaxonomyTable:
    """A tree of taxa by name.

    Attributes:
        taxa: Each taxon by its name.
        parents: From a taxon's name to that of the one above it, "" at the top.
        others: Names that are no taxa of the tree, by `key_of`.
        sources: From a taxon's name to where it comes from.
    """

    taxa: Mapping[str, Taxon]
    parents: Mapping[str, str]
    others: Mapping[str, OtherName]
    sources: Mapping[str, str]

    @cached_property
    def by_key(self) -> Mapping[str, str]:
        """From `key_of` a name to the taxon's name; species of a subgenus without it, too."""
        keys = {}
        for name in self.taxa:
            found = _SUBGENUS.match(name)
            if found:
                keys[key_of(f"{found[1]} {found[2]}")] = name
        return keys | {key_of(name): name for name in self.taxa}

    @cached_property
    def spelling(self) -> SpellingIndex:
        """The names, ready to be compared with misspelled ones."""
        return SpellingIndex(self.by_key)

    def lineage(self, name: str) -> tuple[Taxon, ...]:
        """Return the taxa from the top of the tree down to `name`, which must be one of it."""
        found: list[Taxon] = []
        while name:
            found.append(self.taxa[name])
            name = self.parents[name]
        return tuple(reversed(found))

    def content_hash(self) -> str:
        """Return what tells this tree from others, in 12 characters."""
        rows = sorted((name, self.taxa[name].rank, self.parents[name]) for name in self.taxa)
        return hashlib.sha256(str(rows).encode()).hexdigest()[:12]

    def common_taxon(self, first: str, second: str) -> str:
        """Return the narrowest taxon that holds both, "" if there is none."""
        above = {taxon.name for taxon in self.lineage(first)}
        shared = [taxon.name for taxon in self.lineage(second) if taxon.name in above]
        return shared[-1] if shared else ""


def key_of(name: str) -> str:
    """Return a name without differences of blanks, underscores and capitals."""
    return _BLANKS.sub(" ", name).strip().casefold()


@cache
def shipped_table() -> TaxonomyTable:
    """Return the table of the package: the competition's categories and all taxa above them."""
    taxa, parents, sources = {}, {}, {}
    for row in _rows("taxa.csv"):
        name = row["name"]
        number = int(row["aphia_id"]) if row["aphia_id"] else None
        taxa[name] = Taxon(name, row["rank"], number)
        parents[name], sources[name] = row["parent"], row["sources"]
    others = {
        key_of(row["name"]): OtherName(cast(Kind, row["kind"]), row["stands_for"], row["sources"])
        for row in _rows("other_names.csv")
    }
    return TaxonomyTable(taxa, parents, others, sources)


def _rows(file: str) -> list[dict[str, str]]:
    text = resources.files("finding_nemo.marine").joinpath(file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
