"""Open nomenclature: the part of a name that is sure, and what was added to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What stands between a sure name and a guess, or after a name that goes no further.
_OF_SEVERAL = frozenset({"complex", "group", "agg"})
_OF_ONE = frozenset(
    {"cf", "aff", "nr", "sp", "spp", "ssp", "subsp", "var", "f"}
    | {"indet", "gen", "fam", "stet", "inc", "nov", "n", "?"}
)
_JOINED = re.compile(r"([^\s/-]+)\s*[/-]\s*([^\s/-]+)")
# "(Rathbun, 1893)", "Rathbun, 1893", "Agassiz & Mayer, 1898", behind the name.
_AUTHOR = re.compile(r"^(?P<name>\S.*?)\s+\(?[A-Z][^\d()]*,?\s*\d{4}\)?$")
MAX_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class OpenName:
    """The parts of a name.

    Attributes:
        sure: Names of taxa that surely hold the animal together: mostly one; of "A-B complex" two.
        qualifier: What the name adds: "sp. 1", "cf. papillata", "mutabilis complex"; "" if nothing.
    """

    sure: tuple[str, ...]
    qualifier: str


def without_author(name: str) -> str:
    """Return a name without author and year behind it, where it ends with a year.

    Example:
        >>> without_author("Chionoecetes tanneri Rathbun, 1893")
        'Chionoecetes tanneri'
    """
    found = _AUTHOR.match(name.strip()[:MAX_NAME_CHARACTERS])
    return found["name"] if found else name.strip()


def parse_open_name(name: str) -> OpenName | None:
    """Return the sure part of an open name and its qualifier; `None` if it is none.

    Args:
        name: As people write it; underscores count as blanks.

    Source:
        Horton et al., "Recommendations for the standardisation of open taxonomic nomenclature for
        image-based identifications", 2021, https://doi.org/10.3389/fmars.2021.620702.

    Example:
        >>> parse_open_name("Paralomis cf. papillata")
        OpenName(sure=('Paralomis',), qualifier='cf. papillata')
        >>> parse_open_name("Neptunea-Buccinum Complex").sure
        ('Neptunea', 'Buccinum')
    """
    words = name[:MAX_NAME_CHARACTERS].replace("_", " ").split()
    at = next((i for i, word in enumerate(words) if i and _mark(word)), None)
    if at is None:
        return _joined(words, "")
    sure, rest = words[:at], " ".join(words[at:])
    if _mark(words[at]) not in _OF_SEVERAL:
        return OpenName((" ".join(sure),), rest)
    joined = _joined(sure, rest)
    if joined is not None:
        return joined
    if len(sure) == 1:
        return OpenName((sure[0],), rest)
    # A complex of species is not the species that names it: the genus is what is sure.
    return OpenName((sure[0],), " ".join(words[1:]))


def _mark(word: str) -> str:
    bare = word.rstrip(".,").casefold()
    return bare if bare in _OF_SEVERAL | _OF_ONE else ""


def _joined(words: list[str], rest: str) -> OpenName | None:
    text = " ".join(words)
    found = _JOINED.fullmatch(text)
    if found is None:
        return None
    return OpenName((found[1], found[2]), f"{text} {rest}".strip())
