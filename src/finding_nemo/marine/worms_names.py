"""What the package knows of a name, brought up to date by what WoRMS says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.open_names import without_author
from finding_nemo.marine.resolve_names import SPELLING_CONFIDENCE
from finding_nemo.marine.taxon import MAIN_RANKS, Taxon
from finding_nemo.marine.worms_records import WormsRecord, WormsSource

_SCIENTIFIC = re.compile(r"[A-Z][a-z]+(?: \([A-Z][a-z]+\))?(?: [a-z][a-z-]+){0,2}")
_NEAR = frozenset({"near_1", "phonetic"})


def name_to_ask(record: NameRecord) -> str:
    """Return the scientific name that WoRMS is asked for, "" if the name holds none.

    Of an open name that is its sure part. Of a name that is not known here it is the name itself,
    where it is written as scientific names are.
    """
    if record.is_resolved and record.how != "spelling":
        return record.accepted
    plain = " ".join(without_author(record.name.replace("_", " ")).split())
    return plain if _SCIENTIFIC.fullmatch(plain) else ""


def update_records(
    records: Sequence[NameRecord], source: WormsSource
) -> tuple[tuple[NameRecord, ...], tuple[str, ...]]:
    """Return each record as WoRMS has it, and the names that could not be asked.

    What WoRMS does not know, or knows as several animals, stays as it was.

    Args:
        records: What is known so far.
        source: The service or an export.
    """
    asked = tuple(dict.fromkeys(name for name in map(name_to_ask, records) if name))
    found = source.by_names(asked)
    chosen = {name: _chosen(name, found[name], records) for name in found}
    missing = {each.valid_id for each in chosen.values() if each and each.valid_id != each.aphia_id}
    valid = source.by_ids(tuple(sorted(number for number in missing if number is not None)))
    updated = tuple(
        _updated(record, chosen.get(name_to_ask(record)), valid, source.label) for record in records
    )
    return updated, tuple(name for name in asked if name not in found)


def _chosen(
    name: str, found: Sequence[WormsRecord], records: Sequence[NameRecord]
) -> WormsRecord | None:
    """Return the one record that is meant; `None` where none or several may be."""
    exact = [each for each in found if each.match.startswith("exact")]
    if not exact:
        near = [each for each in found if each.match in _NEAR and " " in each.name]
        exact = near if len({each.valid_id for each in near}) == 1 else []
    known = next((each for each in records if name_to_ask(each) == name and each.lineage), None)
    if known is not None:
        exact = [each for each in exact if _agrees(each, known)]
    accepted = [each for each in exact if each.status == "accepted"] or exact
    meant = {each.valid_id or each.aphia_id for each in accepted}
    return accepted[0] if len(meant) == 1 else None


def _agrees(found: WormsRecord, known: NameRecord) -> bool:
    """Return whether both are of one phylum: a name may be that of a plant as well."""
    phylum = known.at_rank("phylum")
    return not phylum or dict(found.above).get("phylum", phylum) == phylum


def _updated(
    record: NameRecord,
    found: WormsRecord | None,
    valid: Mapping[int, WormsRecord],
    label: str,
) -> NameRecord:
    if found is None:
        return record
    accepted = found if found.valid_id in (None, found.aphia_id) else valid.get(found.valid_id or 0)
    if accepted is None or (found.valid_id is None and found.status != "accepted"):
        return record
    is_near = not found.match.startswith("exact")
    is_open = record.status in ("open", "informal")
    is_same = accepted.name == found.name and record.how not in ("synonym", "spelling")
    status = record.status if is_open else "accepted" if is_same else "unaccepted"
    return replace(
        record,
        accepted=accepted.name,
        rank=accepted.rank,
        aphia_id=accepted.aphia_id,
        lineage=_lineage(record, accepted),
        status="uncertain" if is_near else status,
        confidence=SPELLING_CONFIDENCE if is_near else 1.0,
        how=record.how if is_open else "WoRMS",
        qualifier=record.qualifier if is_open else "",
        candidates=(),
        source=label,
    )


def _lineage(record: NameRecord, accepted: WormsRecord) -> tuple[Taxon, ...]:
    """Return WoRMS's main ranks, or the finer lineage that is known where they agree."""
    stated = accepted.lineage
    known = {taxon.rank: taxon.name for taxon in record.lineage}
    agrees = all(known.get(each.rank) == each.name for each in stated if each.rank in MAIN_RANKS)
    if record.accepted == accepted.name and agrees:
        return (*record.lineage[:-1], stated[-1])
    return stated
