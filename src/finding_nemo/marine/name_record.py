"""What is known of one name: the accepted taxon, its place in the tree, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from finding_nemo.marine.taxon import Taxon, lsid_of

How = Literal[
    "exact", "synonym", "open name", "informal name", "spelling", "genus", "WoRMS", "unresolved"
]
Status = Literal["accepted", "unaccepted", "open", "informal", "uncertain", "unknown"]

# How a name was resolved, as people read it.
HOW_IN_WORDS: dict[How, str] = {
    "exact": "the table has it",
    "synonym": "an older name",
    "open name": "an open name; the taxon that surely holds it",
    "informal name": "no scientific name; the taxon that surely holds it",
    "spelling": "read as a misspelling",
    "genus": "the table has its genus, not the species",
    "WoRMS": "WoRMS says so",
    "unresolved": "not known here, left open",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRecord:
    """One name, looked up.

    Attributes:
        name: As it was asked for.
        accepted: The scientific name that stands for it now, without author or qualifier; "" where
            the name was left open.
        rank: Of `accepted`, in lower case; "" where it is not known.
        aphia_id: Of `accepted` in WoRMS; `None` where it is not known.
        lineage: From the kingdom down to `accepted`; () where it is not known.
        status: Of `name`: accepted, unaccepted (another name stands for it), open (sp. 1, cf.,
            complex), informal (no scientific name), uncertain, or unknown.
        confidence: In [0, 1]: 1 where a table or the name itself says it, less for a misspelling
            that was read as its nearest name, 0 where it was left open.
        how: How it was resolved.
        qualifier: What an open name adds to the taxon: "sp. 1", "cf. papillata".
        candidates: Names that it may have meant, where it was left open.
        source: Where this comes from.

    Example:
        >>> from finding_nemo.marine.resolve_names import resolve_name
        >>> record = resolve_name("Paralomis cf. papillata")
        >>> record.accepted, record.rank, record.qualifier, record.at_rank("family")
        ('Paralomis', 'genus', 'cf. papillata', 'Lithodidae')
    """

    name: str
    accepted: str = ""
    rank: str = ""
    aphia_id: int | None = None
    lineage: tuple[Taxon, ...] = ()
    status: Status = "unknown"
    confidence: float = 0.0
    how: How = "unresolved"
    qualifier: str = ""
    candidates: tuple[str, ...] = ()
    source: str = ""

    @property
    def is_resolved(self) -> bool:
        """Whether the whole name is known, not only its genus or nothing."""
        return bool(self.accepted) and self.how != "genus"

    @property
    def lsid(self) -> str:
        """Identifier of `accepted` as OBIS takes it, "" if it is not known."""
        return lsid_of(self.aphia_id)

    def at_rank(self, rank: str) -> str:
        """Return the name of the taxon of `rank` in the lineage, "" if there is none."""
        return next((taxon.name for taxon in self.lineage if taxon.rank == rank), "")
