"""Names of animals on the terminal: what each is called now, its rank, and how that is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from finding_nemo.marine.name_record import HOW_IN_WORDS, NameRecord
from finding_nemo.reporting.terminal.tables import print_line, print_table

_SHOWN_NAMES = 5


def print_names(records: Sequence[NameRecord]) -> None:
    """Write a table with a row for each name, and what is known of them in a few sentences."""
    rows = [
        (
            each.name,
            "" if each.accepted == each.name else each.accepted or "-",
            each.rank or "-",
            each.at_rank("family"),
            "" if each.aphia_id is None else str(each.aphia_id),
            "" if each.how in ("exact", "WoRMS") else HOW_IN_WORDS[each.how],
        )
        for each in records
    ]
    print_table(("name", "stands for", "rank", "family", "AphiaID", ""), rows)
    for sentence in names_in_words(records):
        print_line(sentence)


def names_in_words(records: Sequence[NameRecord]) -> tuple[str, ...]:
    """Return what is known of names, and what is not, as sentences."""
    n = len(records)
    known = [each for each in records if each.is_resolved]
    lines = [f"{len(known):,} of {n:,} names are known."]
    genus_only = [each.name for each in records if each.accepted and not each.is_resolved]
    if genus_only:
        lines.append(f"Of {_some(genus_only)} only the genus is known.")
    unknown = [each.name for each in records if not each.accepted]
    if unknown:
        lines.append(f"Left open: {_some(unknown)}.")
    n_uncertain = Counter(each.how for each in records)["spelling"]
    if n_uncertain:
        lines.append(f"{n_uncertain:,} names were read as misspellings; check them.")
    n_numbers = sum(each.aphia_id is not None for each in known)
    if n_numbers < len(known):
        lines.append(
            f"{len(known) - n_numbers:,} of them have no AphiaID yet: finding-nemo names update "
            "asks WoRMS for it."
        )
    return tuple(lines)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more:,} more" if more > 0 else "")
