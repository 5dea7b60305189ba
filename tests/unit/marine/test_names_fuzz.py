"""Tables of names, exports and answers of WoRMS, damaged in odd ways: read, or one of our errors.

`FINDING_NEMO_FUZZ=2000` tries 2,000 inputs a reader.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from finding_nemo.core.errors import NamesError
from finding_nemo.marine.names_file import read_names, write_names
from finding_nemo.marine.resolve_names import resolve_name, resolve_names
from finding_nemo.marine.worms_export import WormsExport
from finding_nemo.marine.worms_names import update_records
from finding_nemo.marine.worms_records import record_from_answer

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "30"))
_ODD = (
    *("", "\0", "\r", "\n", "\t" * 20, '"', "'", ",", ";", "nan", "inf", "-1", "1e400", "9" * 400),
    *("=1+1", "é", "\u202e", "🦀", " > ", "[", "]", " [x 99999999999]", "|", "0,5", "a" * 3000),
)
_EXPORT = (
    "taxonID\tacceptedNameUsageID\tscientificName\tkingdom\tphylum\ttaxonRank\ttaxonomicStatus\n"
    "urn:lsid:marinespecies.org:taxname:4\turn:lsid:marinespecies.org:taxname:5\tMunida\tAnimalia\t"
    "Arthropoda\tGenus\tunaccepted\nurn:lsid:marinespecies.org:taxname:5\t"
    "urn:lsid:marinespecies.org:taxname:5\tOther\tAnimalia\tArthropoda\tGenus\taccepted\n"
)
_ANSWER = json.dumps(
    {"AphiaID": "4", "scientificname": "Munida", "valid_AphiaID": 5, "rank": None, "class": "x"}
)


def _damaged(text: str, draw: random.Random) -> bytes:
    for _ in range(draw.choice((1, 1, 2, 4))):
        at, end = sorted((draw.randrange(len(text) + 1), draw.randrange(len(text) + 1)))
        end = min(end, at + draw.choice((0, 1, 8, 200)))
        text = text[:at] + draw.choice(_ODD) + text[end:]
    data = text.encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        at = draw.randrange(len(data) + 1)
        data = data[:at] + bytes([draw.randrange(256)]) + data[at:]
    return data[: draw.randrange(len(data) + 1)] if draw.random() < 0.1 else data


def test_readers__read_or_refuse_what_is_damaged(tmp_path: Path) -> None:
    table, export = tmp_path / "names.csv", tmp_path / "taxon.txt"
    records = resolve_names(("Munida", "Paralomis cf. papillata", "crab", "Halipteris californica"))
    write_names(records, table)
    whole = table.read_text(encoding="utf-8")
    n_read, refused = 0, list[str]()
    for number in range(_N):
        draw = random.Random(number)  # noqa: S311 - draws of a test
        table.write_bytes(_damaged(whole, draw))
        try:
            found = read_names(table)
            n_read += 1
            write_names(found, tmp_path / "again.csv")
            assert read_names(tmp_path / "again.csv") == found
        except NamesError as error:
            refused.append(str(error))
        export.write_bytes(_damaged(_EXPORT, draw))
        try:
            updated, _ = update_records(records, WormsExport(export))
            assert [each.name for each in updated] == [each.name for each in records]
        except NamesError as error:
            refused.append(str(error))
        try:
            entry = json.loads(_damaged(_ANSWER, draw))
        except (ValueError, RecursionError):
            continue
        record_from_answer(entry)
    assert n_read > 0
    assert all("names.csv" in words or "taxon.txt" in words for words in refused)


def test_names__of_any_kind_are_resolved_or_left_open() -> None:
    draw = random.Random(1)  # noqa: S311 - draws of a test
    parts = ("Munida", "sp.", "cf.", "complex", "Paralomis papillata", "-", "/", "1", *_ODD)
    for _ in range(_N):
        name = draw.choice((" ", "_", "")).join(draw.choices(parts, k=draw.randrange(1, 6)))
        found = resolve_name(name)
        assert found.name == name
        assert found.is_resolved <= bool(found.accepted)
