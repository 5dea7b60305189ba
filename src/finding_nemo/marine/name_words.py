"""A name's place in the tree, in few words for people."""

from __future__ import annotations

from finding_nemo.marine.name_record import NameRecord

_SAID_BY_THE_NAME = ("", "species", "subspecies")


def rank_in_words(record: NameRecord | None) -> str:
    """Return the rank of a name, "" where it has none of its own or is not known.

    An open name has none: "Paralomis cf. papillata" is neither the genus nor a known species.
    """
    if record is None or not record.is_resolved or record.status in ("open", "informal"):
        return ""
    return record.rank


def name_with_rank(name: str, rank: str) -> str:
    """Return a name with its rank before it, where the name does not say it itself.

    The two words of a species do.

    Args:
        name: Of a taxon or category.
        rank: In lower case, "" where it has none or it is not known.

    Example:
        >>> name_with_rank("Macrouridae", "family"), name_with_rank("Sebastes diploproa", "species")
        ('Family: Macrouridae', 'Sebastes diploproa')
    """
    return name if rank in _SAID_BY_THE_NAME else f"{rank.capitalize()}: {name}"


def place_in_words(record: NameRecord | None) -> str:
    """Return rank, accepted name, family and AphiaID of a name, "" where it is not known.

    Example:
        >>> from finding_nemo.marine.resolve_names import resolve_name
        >>> place_in_words(resolve_name("Halipteris californica"))
        'species, now Balticina californica, family Balticinidae, AphiaID 1392940'
        >>> place_in_words(resolve_name("Paralomis cf. papillata"))
        'in the genus Paralomis, family Lithodidae'
    """
    if record is None or not record.is_resolved:
        return ""
    rank = rank_in_words(record)
    own = record.rank or "taxon"
    parts = [rank or f"in the {own} {record.accepted}"]
    if rank and record.status == "unaccepted":
        parts.append(f"now {record.accepted}")
    if rank and record.status == "uncertain":
        parts.append(f"read as {record.accepted}")
    family = record.at_rank("family")
    if family and family != record.accepted:
        parts.append(f"family {family}")
    if record.aphia_id is not None:
        parts.append(f"AphiaID {record.aphia_id}")
    return ", ".join(parts)
