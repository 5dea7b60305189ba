"""Records of the World Register of Marine Species, as it answers and as it exports them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from finding_nemo.marine.taxon import MAIN_RANKS, Taxon, is_rank

_LSID = re.compile(r"urn:lsid:marinespecies\.org:taxname:(\d{1,10})")
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WormsRecord:
    """What WoRMS says of one name.

    Attributes:
        aphia_id: Its number.
        name: Without author.
        rank: In lower case.
        status: "accepted", "unaccepted", "alternative representation", "uncertain", ...
        valid_id: Number of the accepted name, `None` where none is stated.
        valid_name: The accepted name, "" where none is stated.
        above: From main rank to the name of the taxon, down to the genus.
        match: How it fits what was asked: "exact", "near_1", "phonetic", ...
    """

    aphia_id: int
    name: str
    rank: str = ""
    status: str = ""
    valid_id: int | None = None
    valid_name: str = ""
    above: tuple[tuple[str, str], ...] = ()
    match: str = "exact"

    @property
    def lineage(self) -> tuple[Taxon, ...]:
        """From the kingdom down to the name itself; of the ranks that WoRMS states."""
        higher = [Taxon(name, rank) for rank, name in self.above if name != self.name]
        return (*higher, Taxon(self.name, self.rank, self.aphia_id))


class WormsSource(Protocol):
    """Where records come from: the service, or an export on disk."""

    label: str

    def by_names(self, names: tuple[str, ...]) -> Mapping[str, tuple[WormsRecord, ...]]:
        """Return the records that fit each name; a name that could not be asked is left out."""

    def by_ids(self, ids: tuple[int, ...]) -> Mapping[int, WormsRecord]:
        """Return the records of AphiaIDs, as far as there are any."""


def record_from_answer(entry: object) -> WormsRecord | None:
    """Return a record from one object of the service's JSON; `None` if it names no taxon.

    Numbers may be quoted, as WoRMS sends some since 2026.

    Source:
        https://www.marinespecies.org/rest/, `AphiaRecord`.
    """
    if not isinstance(entry, dict):
        return None
    aphia_id, name = _number(entry.get("AphiaID")), _text(entry.get("scientificname"))
    if aphia_id is None or not name:
        return None
    return WormsRecord(
        aphia_id=aphia_id,
        name=name,
        rank=_rank(entry.get("rank")),
        status=_text(entry.get("status")).lower(),
        valid_id=_number(entry.get("valid_AphiaID")),
        valid_name=_text(entry.get("valid_name")),
        above=_above(entry),
        match=_text(entry.get("match_type")).lower() or "exact",
    )


def record_from_export(row: Mapping[str, str]) -> WormsRecord | None:
    """Return a record from a row of `taxon.txt` in an export; `None` if it names no taxon."""
    aphia_id, name = _number_of_lsid(row.get("taxonid", "")), _text(row.get("scientificname"))
    if aphia_id is None or not name:
        return None
    return WormsRecord(
        aphia_id=aphia_id,
        name=name,
        rank=_rank(row.get("taxonrank")),
        status=_text(row.get("taxonomicstatus")).lower(),
        valid_id=_number_of_lsid(row.get("acceptednameusageid", "")),
        valid_name=_text(row.get("acceptednameusage")),
        above=_above(row),
    )


def _above(entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = ((rank, _text(entry.get(rank))) for rank in MAIN_RANKS[:-1])
    return tuple((rank, name) for rank, name in found if name)


def _rank(value: object) -> str:
    rank = _text(value).lower()
    return rank if is_rank(rank) else ""


def _text(value: object) -> str:
    return " ".join(value.split())[:_MAX_TEXT] if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= 10
    return int(text) if is_number and int(text) > 0 else None


def _number_of_lsid(text: str) -> int | None:
    found = _LSID.fullmatch(text.strip())
    return int(found[1]) if found else _number(text)
