"""What a label is called in the world: a lookup's answer, or the name as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from finding_nemo.exporting.export_frame import ExportCategory
from finding_nemo.marine.names_file import read_names
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxon import Taxon


class KnownName(Protocol):
    """What a lookup says of one name."""

    @property
    def accepted(self) -> str:
        """The scientific name, "" where the name was left open."""
        ...

    @property
    def rank(self) -> str:
        """Of `accepted`, in lower case."""
        ...

    @property
    def aphia_id(self) -> int | None:
        """Of `accepted` in WoRMS."""
        ...

    @property
    def lsid(self) -> str:
        """The identifier of `accepted`, "" where unknown."""
        ...

    @property
    def lineage(self) -> tuple[Taxon, ...]:
        """From the kingdom down to `accepted`, () where it is not known."""
        ...

    @property
    def qualifier(self) -> str:
        """What an open name adds: "sp. 1", "cf. papillata"."""
        ...

    def at_rank(self, rank: str) -> str:
        """Return the taxon of `rank` in the lineage, "" if there is none."""
        ...


NameLookup = Callable[[str], KnownName | None]


def names_lookup(path: Path | None = None) -> NameLookup:
    """Return a lookup in a person's table of names, then in the one that ships with the package.

    Args:
        path: A table that `finding-nemo names` wrote; a name whose accepted name is empty in it
            stands as it is.

    Raises:
        NamesError: If the table cannot be read.
    """
    given = {} if path is None else {record.name: record for record in read_names(path)}

    def look_up(name: str) -> KnownName | None:
        return given[name] if name in given else resolve_name(name)

    return look_up


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxonName:
    """One label's name, as archives take it.

    Attributes:
        verbatim: As the category table or the person calls it.
        scientific: The accepted name, or the verbatim one where nothing is known of it.
        is_known: Whether a lookup knows it.
        rank: "" where unknown.
        kingdom: "" where unknown.
        lsid: "" where unknown.
        aphia_id: `None` where unknown.
        qualifier: Of an open name, else "".
    """

    verbatim: str
    scientific: str
    is_known: bool = False
    rank: str = ""
    kingdom: str = ""
    lsid: str = ""
    aphia_id: int | None = None
    qualifier: str = ""


class TaxonNames:
    """Looks names up, each once, and remembers which nobody knew."""

    def __init__(
        self,
        lookup: NameLookup | None = None,
        *,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Ask `lookup`; without one all names stand as they are.

        Args:
            lookup: Of names.
            groups: Of each supercategory the names of its categories.
        """
        self._lookup = lookup
        self._groups = groups or {}
        self._found: dict[tuple[str, bool], TaxonName] = {}

    def __getitem__(self, name: str) -> TaxonName:
        return self.of(name)

    def of(self, name: str, *, is_group: bool = False) -> TaxonName:
        """Return what is known of a category, or of a group of categories.

        A group that is no scientific name itself is the lowest taxon that surely holds all of its
        categories; if one of them is not known, the group stands as it is.
        """
        key = (name, is_group)
        if key not in self._found:
            self._found[key] = self._look_up(name, is_group=is_group)
        return self._found[key]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names asked for that no lookup knew, in the order in which they came."""
        return tuple(name for (name, _), found in self._found.items() if not found.is_known)

    def _look_up(self, name: str, *, is_group: bool) -> TaxonName:
        known = self._lookup(name) if self._lookup is not None else None
        if known is not None and known.accepted:
            return TaxonName(
                verbatim=name,
                scientific=known.accepted,
                is_known=True,
                rank=known.rank,
                kingdom=known.at_rank("kingdom"),
                lsid=known.lsid,
                aphia_id=known.aphia_id,
                # A whole name is no qualifier of another one; it stands as the verbatim name.
                qualifier="" if known.qualifier.casefold() == name.casefold() else known.qualifier,
            )
        held = self._common(self._groups.get(name, ())) if is_group else ()
        if not held:
            return TaxonName(verbatim=name, scientific=name)
        taxon = held[-1]
        return TaxonName(
            verbatim=name,
            scientific=taxon.name,
            is_known=True,
            rank=taxon.rank,
            kingdom=next((each.name for each in held if each.rank == "kingdom"), ""),
            lsid=taxon.lsid,
            aphia_id=taxon.aphia_id,
        )

    def _common(self, members: Sequence[str]) -> tuple[Taxon, ...]:
        known = [self._lookup(name) if self._lookup is not None else None for name in members]
        lineages = [each.lineage for each in known if each is not None]
        return common_lineage(lineages) if len(lineages) == len(members) else ()


def common_lineage(lineages: Sequence[tuple[Taxon, ...]]) -> tuple[Taxon, ...]:
    """Return the part that lineages share from the kingdom down; of one, all but its own end.

    A group may hold more than the one category that a table has of it, so it is not that category.
    """
    if not lineages:
        return ()
    if len(lineages) == 1:
        return lineages[0][:-1]
    shared = []
    for taxa in zip(*lineages, strict=False):
        if len({(taxon.name, taxon.rank) for taxon in taxa}) > 1:
            break
        shared.append(taxa[0])
    return tuple(shared)


def groups_of(categories: Iterable[ExportCategory]) -> dict[str, list[str]]:
    """Return the names of the categories of each supercategory."""
    found: dict[str, list[str]] = {}
    for each in categories:
        if each.supercategory:
            found.setdefault(each.supercategory, []).append(each.name)
    return found
