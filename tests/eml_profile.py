"""What the GBIF profile of EML requires of `eml.xml`, and what is wrong with a file by it.

The profile's own schema is under the GPL and not part of this project, so its facts stand here in
our own words: which element may stand in which, in what order and how often, and what its text is.
Only elements that `convert` writes are known; any other is a fault.

Source:
    GBIF metadata profile 1.1, http://rs.gbif.org/schema/eml-gbif-profile/1.1/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

_MANY = 1_000_000
# From each element to those within it, in their order: name, at least, at most. A name "a|b" is a
# choice, of which each may come more than once.
_PERSON = (
    ("organizationName|individualName|positionName", 1, _MANY),
    ("address", 0, _MANY),
    ("phone", 0, _MANY),
    ("electronicMailAddress", 0, _MANY),
    ("onlineUrl", 0, _MANY),
    ("userId", 0, _MANY),
)
_PARAGRAPH = (("para", 1, 1),)
_CONTENT: Mapping[str, tuple[tuple[str, int, int], ...]] = {
    "eml": (("dataset", 1, 1), ("additionalMetadata", 0, 1)),
    "dataset": (
        *(("alternateIdentifier", 0, _MANY), ("title", 1, _MANY), ("creator", 1, _MANY)),
        *(("metadataProvider", 1, _MANY), ("associatedParty", 0, _MANY), ("pubDate", 1, 1)),
        *(("language", 0, 1), ("abstract", 1, 1), ("keywordSet", 0, _MANY)),
        *(("additionalInfo", 0, 1), ("intellectualRights", 0, 1), ("distribution", 0, _MANY)),
        *(("coverage", 0, 1), ("purpose", 0, 1), ("maintenance", 0, 1), ("contact", 1, _MANY)),
        *(("methods", 0, 1), ("project", 0, 1)),
    ),
    "creator": _PERSON,
    "metadataProvider": _PERSON,
    "contact": _PERSON,
    "individualName": (("givenName", 0, _MANY), ("surName", 1, 1)),
    "abstract": (("para", 1, _MANY),),
    "intellectualRights": _PARAGRAPH,
    "methods": (*(("methodStep", 1, _MANY), ("sampling", 0, _MANY), ("qualityControl", 0, _MANY)),),
    "methodStep": (("description", 1, 1),),
    "description": (("para", 1, _MANY),),
    "additionalMetadata": (("metadata", 1, 1),),
    "metadata": (("gbif", 1, 1),),
    "gbif": (
        *(("dateStamp", 1, 1), ("hierarchyLevel", 0, 1), ("citation", 0, 1)),
        *(("bibliography", 0, 1), ("physical", 0, _MANY), ("resourceLogoUrl", 0, 1)),
    ),
}
_ANY_TEXT = re.compile(r"\s*\S[\s\S]*")
_TEXTS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(
        (
            *("title", "language", "para", "citation", "givenName", "surName"),
            *("organizationName", "positionName", "electronicMailAddress"),
        ),
        _ANY_TEXT,
    ),
    "pubDate": re.compile(r"\d{4}(-\d{2}-\d{2})?"),
    "dateStamp": re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?"),
}
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_MAY_HAVE_LANGUAGE = frozenset({"eml", "title"})


def eml_faults(path: Path) -> list[str]:
    """Return what is wrong with a file by the profile, a sentence each."""
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
    found = []
    if root.tag != "{eml://ecoinformatics.org/eml-2.1.1}eml":
        found.append(f"the root is {root.tag}")
    root.tag = "eml"
    for name, wanted in {"packageId": ".+", "scope": "system", "system": ".+"}.items():
        if not re.fullmatch(wanted, root.attrib.pop(name, "")):
            found.append(f"eml has no {name}")
    root.attrib.pop("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", None)
    return [*found, *_faults(root)]


def _faults(element: ElementTree.Element) -> Iterator[str]:
    name, children = element.tag, list(element)
    if name in _MAY_HAVE_LANGUAGE:
        element.attrib.pop(_LANGUAGE, None)
    yield from (f"{name} has the attribute {each}" for each in element.attrib)
    if name in _CONTENT:
        yield from _order_faults(name, [each.tag for each in children])
        if (element.text or "").strip() or any((each.tail or "").strip() for each in children):
            yield f"{name} has text beside its elements"
    elif name in _TEXTS:
        if children or not _TEXTS[name].fullmatch(element.text or ""):
            yield f"{name} is {element.text!r}"
    else:
        yield f"{name} is not known"
    for child in children:
        yield from _faults(child)


def _order_faults(name: str, children: list[str]) -> Iterator[str]:
    left = list(children)
    for choice, at_least, at_most in _CONTENT[name]:
        count = 0
        while left and left[0] in choice.split("|") and count < at_most:
            left.pop(0)
            count += 1
        if count < at_least:
            yield f"{name} has {count} {choice}, not {at_least}"
    if left:
        yield f"{name} has {left[0]} where it may not be"
