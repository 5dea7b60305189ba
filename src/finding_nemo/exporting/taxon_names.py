"""What a label is called in the world: a lookup's answer, or the name as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from finding_nemo.marine.names_file import read_names
from finding_nemo.marine.resolve_names import resolve_name


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

    def __init__(self, lookup: NameLookup | None = None) -> None:
        """Ask `lookup`; without one all names stand as they are."""
        self._lookup = lookup
        self._found: dict[str, TaxonName] = {}

    def __getitem__(self, name: str) -> TaxonName:
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names asked for that no lookup knew, in the order in which they came."""
        return tuple(name for name, found in self._found.items() if not found.is_known)

    def _look_up(self, name: str) -> TaxonName:
        known = self._lookup(name) if self._lookup is not None else None
        if known is None or not known.accepted:
            return TaxonName(verbatim=name, scientific=name)
        return TaxonName(
            verbatim=name,
            scientific=known.accepted,
            is_known=True,
            rank=known.rank,
            kingdom=known.at_rank("kingdom"),
            lsid=known.lsid,
            aphia_id=known.aphia_id,
            qualifier=known.qualifier,
        )
