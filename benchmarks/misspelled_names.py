"""How misspelled names are read: drawn misspellings, and each real name taken out of the table.

python benchmarks/misspelled_names.py
"""

from __future__ import annotations

import string
from collections import Counter
from random import Random

from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxonomy_table import shipped_table

_DRAWS = 8


def edited(name: str, random: Random) -> str:
    """Return a name with one letter left out, put in, changed, or swapped with the next."""
    at, letter = random.randrange(len(name)), random.choice(string.ascii_lowercase)
    kind = random.randrange(4)
    if kind == 0:
        return name[:at] + name[at + 1 :]
    if kind == 1:
        return name[:at] + letter + name[at:]
    if kind == 2:
        return name[:at] + letter + name[at + 1 :]
    at = min(at, len(name) - 2)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def main() -> None:
    table, random = shipped_table(), Random(0)
    species = [name for name, taxon in table.taxa.items() if taxon.rank == "species"]
    for n_edits in (1, 2, 3):
        ends: Counter[str] = Counter()
        for name in species:
            for _ in range(_DRAWS):
                word = name
                for _ in range(n_edits):
                    word = edited(word, random)
                found = resolve_name(word)
                if found.how == "exact":
                    continue  # the edits undid each other
                kind = "right" if found.accepted == name else "another species"
                ends[kind if found.how == "spelling" else found.how] += 1
        print(f"{n_edits} edits of {len(species)} species: {dict(ends)}")
    for is_species, what in ((True, "names of species"), (False, "names of other taxa")):
        keys = [
            (key, name)
            for key, name in table.by_key.items()
            if (table.taxa[name].rank == "species") == is_species
        ]
        near = sum(any(n != name for n in table.spelling.near(key)) for key, name in keys)
        print(f"{near} of {len(keys)} {what} come near another name of the table")


if __name__ == "__main__":
    main()
