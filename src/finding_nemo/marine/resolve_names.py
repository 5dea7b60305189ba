"""From a name as people write it to the taxon that it means, or left open: never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from finding_nemo.marine.name_record import How, NameRecord, Status
from finding_nemo.marine.open_names import MAX_NAME_CHARACTERS, parse_open_name, without_author
from finding_nemo.marine.taxonomy_table import OtherName, TaxonomyTable, key_of, shipped_table

# None of the 116 species of the table comes within two edits of another one, so at most 1 in 40
# other species would (rule of three). Of genera and families 1 in 6 does: Bathydoris is a sea slug,
# Bathydorus a sponge. So only names of species are read as misspelled
# (docs/experiments/0043-names-and-the-tree.md).
SPELLING_CONFIDENCE = 0.97
# Of 114 species whose genus the table has, 2 were moved to another one.
GENUS_CONFIDENCE = 0.98
_MAX_CANDIDATES = 5
_MAX_STEPS = 4  # of names that stand for names; a table that runs in a circle ends here
_KINDS: dict[str, tuple[Status, How]] = {
    "synonym": ("unaccepted", "synonym"),
    "group": ("open", "open name"),
    "informal": ("informal", "informal name"),
}


def resolve_names(
    names: Sequence[str], *, table: TaxonomyTable | None = None
) -> tuple[NameRecord, ...]:
    """Return what is known of each of `names`, in their order; see `resolve_name`."""
    return tuple(resolve_name(name, table=table) for name in names)


def resolve_name(name: str, *, table: TaxonomyTable | None = None) -> NameRecord:
    """Return what is known of `name`.

    Tried in turn: the table's own names; names that stand for others; open names, whose sure part
    is taken ("Paralomis cf. papillata" is a Paralomis); one species whose name is near, as a
    misspelling; the genus of a species that the table has not. What is still unknown is left open.

    Args:
        name: As people write it; capitals, underscores and an author with a year do not count.
        table: Where to look; the one that ships with the package if left out.
    """
    table = table or shipped_table()
    if len(name) > MAX_NAME_CHARACTERS:
        return NameRecord(name=name)
    plain = without_author(name.replace("_", " "))
    found = _known(plain, table) or _open(plain, table)
    found = found or _misspelled(plain, table) or _species_of_genus(plain, table)
    return replace(found, name=name)


def _known(name: str, table: TaxonomyTable) -> NameRecord | None:
    key = key_of(name)
    if key in table.by_key:
        return _record(name, table.by_key[key], table, status="accepted", how="exact")
    other = table.others.get(key)
    return None if other is None else _standing_for(name, other, table)


def _standing_for(name: str, other: OtherName, table: TaxonomyTable) -> NameRecord | None:
    target, status, how = other.stands_for, *_KINDS[other.kind]
    for _ in range(_MAX_STEPS):
        key = key_of(target)
        if key in table.by_key:
            found = _record(name, table.by_key[key], table, status=status, how=how)
            qualifier = "" if other.kind == "synonym" else name
            return replace(found, qualifier=qualifier, source=other.source)
        if key not in table.others:
            found_open = _open(target, table)
            return found_open and replace(found_open, name=name, source=other.source)
        target = table.others[key].stands_for
    return None


def _open(name: str, table: TaxonomyTable) -> NameRecord | None:
    parsed = parse_open_name(name)
    if parsed is None:
        return None
    sure = [_known(part, table) for part in parsed.sure]
    accepted = [record.accepted for record in sure if record is not None]
    if len(accepted) != len(sure):
        return None
    common = accepted[0]
    for each in accepted[1:]:
        common = table.common_taxon(common, each)
    if not common:
        return None
    found = _record(name, common, table, status="open", how="open name")
    return replace(found, qualifier=parsed.qualifier)


def _misspelled(name: str, table: TaxonomyTable) -> NameRecord | None:
    near = table.spelling.near(key_of(name))
    if not near:
        return None
    if len(near) > 1 or table.taxa[near[0]].rank != "species":
        return NameRecord(name=name, candidates=near[:_MAX_CANDIDATES])
    found = _record(name, near[0], table, status="uncertain", how="spelling")
    return replace(found, confidence=SPELLING_CONFIDENCE)


def _species_of_genus(name: str, table: TaxonomyTable) -> NameRecord:
    words = name.split()
    genus = table.by_key.get(key_of(words[0])) if 1 < len(words) <= 3 else None
    if genus is None or table.taxa[genus].rank != "genus" or not words[1].isalpha():
        return NameRecord(name=name)
    found = _record(name, genus, table, status="uncertain", how="genus")
    return replace(found, qualifier=" ".join(words[1:]), confidence=GENUS_CONFIDENCE)


def _record(
    name: str, accepted: str, table: TaxonomyTable, *, status: Status, how: How
) -> NameRecord:
    taxon = table.taxa[accepted]
    return NameRecord(
        name=name,
        accepted=accepted,
        rank=taxon.rank,
        aphia_id=taxon.aphia_id,
        lineage=table.lineage(accepted),
        status=status,
        confidence=1.0,
        how=how,
        source=table.sources.get(accepted, ""),
    )
