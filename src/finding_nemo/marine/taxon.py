"""A taxon: its name, its rank, its number in WoRMS."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The ranks that WoRMS states of every record, from the widest to the narrowest.
MAIN_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
# "phylum (division)" is one of WoRMS; a rank is shown in tables, pages and pictures as it is.
_RANK = re.compile(r"[a-z][a-z ().-]{0,40}|")


@dataclass(frozen=True, slots=True)
class Taxon:
    """One node of the tree of life.

    Attributes:
        name: Its scientific name, without author.
        rank: In lower case: "species", "genus", "infraorder", ...; "" where it is not stated.
        aphia_id: Its number in the World Register of Marine Species, `None` if it is not known.

    Example:
        >>> Taxon("Gastropoda", "class", 101).lsid
        'urn:lsid:marinespecies.org:taxname:101'
    """

    name: str
    rank: str
    aphia_id: int | None = None

    @property
    def lsid(self) -> str:
        """Its identifier as OBIS takes it (`scientificNameID`), "" if it is not known."""
        return lsid_of(self.aphia_id)


def is_rank(text: str) -> bool:
    """Return whether a text may be a rank: lower-case words, or nothing."""
    return _RANK.fullmatch(text) is not None


def lsid_of(aphia_id: int | None) -> str:
    """Return the life science identifier of an AphiaID, "" of none.

    Source:
        https://manual.obis.org, `scientificNameID`.
    """
    return "" if aphia_id is None else f"urn:lsid:marinespecies.org:taxname:{aphia_id}"
