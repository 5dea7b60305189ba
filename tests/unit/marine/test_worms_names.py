"""What WoRMS says, taken over: by hand, from records of the shapes that it sends."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import NamesError
from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.names_file import (
    COLUMNS,
    known_names,
    names_path_beside,
    read_names,
    write_names,
)
from finding_nemo.marine.resolve_names import resolve_name, resolve_names
from finding_nemo.marine.taxon import Taxon
from finding_nemo.marine.worms_export import WormsExport
from finding_nemo.marine.worms_names import name_to_ask, update_records
from finding_nemo.marine.worms_records import WormsRecord, record_from_answer


def answer(aphia_id: int, name: str, **changes: Any) -> dict[str, Any]:
    """Return an object of the shape that the service sends."""
    return {
        "AphiaID": aphia_id,
        "scientificname": name,
        "authority": "Nobody, 1900",
        "status": "accepted",
        "rank": "Species",
        "valid_AphiaID": aphia_id,
        "valid_name": name,
        "kingdom": "Animalia",
        "phylum": "Arthropoda",
        "class": "Malacostraca",
        "order": "Decapoda",
        "family": "Pandalidae",
        "genus": name.split()[0],
        "lsid": f"urn:lsid:marinespecies.org:taxname:{aphia_id}",
        "isMarine": 1,
        "match_type": "exact",
    } | changes


class _Told:
    """A source that knows what a test tells it."""

    label = "told"

    def __init__(self, *entries: dict[str, Any], silent: tuple[str, ...] = ()) -> None:
        self._records = [record for each in entries if (record := record_from_answer(each))]
        self._silent = silent
        self.asked: tuple[str, ...] = ()

    def by_names(self, names: tuple[str, ...]) -> Mapping[str, tuple[WormsRecord, ...]]:
        self.asked = names
        known = [name for name in names if name not in self._silent]
        return {
            name: tuple(
                each for each in self._records if each.name == name or each.match != "exact"
            )
            for name in known
        }

    def by_ids(self, ids: tuple[int, ...]) -> Mapping[int, WormsRecord]:
        return {each.aphia_id: each for each in self._records if each.aphia_id in ids}


def _updated(name: str, *entries: dict[str, Any]) -> NameRecord:
    (found,), _ = update_records((resolve_name(name),), _Told(*entries))
    return found


def test_moved_name__becomes_the_accepted_one_with_its_number() -> None:
    old = answer(105, "Pandalus ampla", status="unaccepted", valid_AphiaID=106,
                 valid_name="Pandalus amplus")  # fmt: skip
    found = _updated("Pandalus ampla", old, answer(106, "Pandalus amplus"))
    assert (found.accepted, found.aphia_id, found.status) == ("Pandalus amplus", 106, "unaccepted")
    assert (found.how, found.confidence, found.qualifier) == ("WoRMS", 1.0, "")
    assert found.lsid == "urn:lsid:marinespecies.org:taxname:106"
    assert [taxon.name for taxon in found.lineage] == [
        *("Animalia", "Arthropoda", "Malacostraca", "Decapoda", "Pandalidae", "Pandalus"),
        "Pandalus amplus",
    ]


def test_known_name__keeps_its_finer_lineage_and_gets_its_number() -> None:
    before = resolve_name("Pandalidae")
    entry = answer(7, "Pandalidae", rank="Family", genus=None)
    found = _updated("Pandalidae", entry)
    assert (found.aphia_id, found.rank, found.status) == (7, "family", "accepted")
    assert found.lineage == (*before.lineage[:-1], Taxon("Pandalidae", "family", 7))
    assert len(found.lineage) > 5
    moved = _updated("Pandalidae", entry | {"order": "Other"})
    assert [taxon.name for taxon in moved.lineage][3:] == ["Other", "Pandalidae"]


def test_open_name__stays_open() -> None:
    entry = answer(8, "Paralomis", rank="Genus", family="Lithodidae")
    found = _updated("Paralomis cf. papillata", entry)
    assert (found.accepted, found.aphia_id, found.qualifier) == ("Paralomis", 8, "cf. papillata")
    assert (found.status, found.how) == ("open", "open name")


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (answer(1, "Pandalus ampla"), answer(2, "Pandalus ampla")),  # two animals of one name
        (answer(1, "Pandalus ampla", phylum="Rhodophyta"),),  # an alga
        (answer(1, "Pandalus ampla", status="uncertain", valid_AphiaID=None),),
        (answer(1, "Pandalus ampla", status="unaccepted", valid_AphiaID=9),),  # 9 is not told
        (answer(1, "Pandalus amplus", match_type="near_3"),),
        (answer(1, "Pandalus amplus", match_type="near_1"), answer(2, "Pandalus amplo",
                                                                  match_type="near_1")),
    ],
)  # fmt: skip
def test_what_is_not_sure__changes_nothing(entries: tuple[dict[str, Any], ...]) -> None:
    assert _updated("Pandalus ampla", *entries) == resolve_name("Pandalus ampla")


def test_near_name__is_uncertain_and_an_accepted_homonym_wins() -> None:
    found = _updated("Pandalus ampla", answer(1, "Pandalus amplus", match_type="near_1"))
    assert (found.accepted, found.status, found.confidence) == (
        "Pandalus amplus",
        "uncertain",
        0.97,
    )
    old = answer(2, "Pandalus ampla", status="unaccepted", valid_AphiaID=3)
    assert _updated("Pandalus ampla", old, answer(1, "Pandalus ampla")).aphia_id == 1


def test_asked__are_scientific_names_each_once() -> None:
    names = ("Aeolidiidae sp. 1", "Aeolidiidae", "trash_etc", "crab", "Xyzus abcus Doe, 1900", "=1")
    records = resolve_names(names)
    told = _Told(silent=("Xyzus abcus",))
    found, not_asked = update_records(records, told)
    assert told.asked == ("Aeolidiidae", "Xyzus abcus")
    assert (found, not_asked) == (records, ("Xyzus abcus",))
    assert [name_to_ask(each) for each in records][2:4] == ["", ""]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (answer(5, "A b") | {"AphiaID": "5", "valid_AphiaID": "6"}, (5, 6)),  # quoted numbers
        (answer(5, "A b") | {"valid_AphiaID": None, "rank": None, "family": 3}, (5, None)),
        (answer(5, "A b") | {"AphiaID": True}, None),
        (answer(5, "A b") | {"AphiaID": "-999"}, None),
        (answer(5, "A b") | {"scientificname": ["A"]}, None),
        ([], None),
        ("text", None),
        (None, None),
    ],
)
def test_record__from_what_the_service_sends(
    entry: object, expected: tuple[int, int | None] | None
) -> None:
    found = record_from_answer(entry)
    assert (None if found is None else (found.aphia_id, found.valid_id)) == expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def test_record__rank_is_words_or_nothing() -> None:
    for rank, wanted in (("Phylum (Division)", "phylum (division)"), ("$x$", ""), ("\x1b[2J", "")):
        found = record_from_answer(answer(5, "A b", rank=rank))
        assert found is not None
        assert found.rank == wanted


@given(st.dictionaries(st.sampled_from(sorted(answer(1, "A b"))), _JSON))
@settings(max_examples=60, deadline=None)
def test_record__takes_any_object(entry: dict[str, object]) -> None:
    found = record_from_answer(entry)
    assert found is None or (found.aphia_id > 0 and found.name)


# --- an export on disk ----------------------------------------------------------------------------

_HEADER = (
    "taxonID\tscientificNameID\tacceptedNameUsageID\tscientificName\tacceptedNameUsage\tkingdom\t"
    "phylum\tclass\torder\tfamily\tgenus\ttaxonRank\ttaxonomicStatus"
)
_LSID = "urn:lsid:marinespecies.org:taxname:"


def _row(number: int, valid: int | None, name: str, rank: str, status: str) -> str:
    accepted = "" if valid is None else f"{_LSID}{valid}"
    above = "Animalia\tArthropoda\tMalacostraca\tDecapoda\tPandalidae\tPandalus"
    return f"{_LSID}{number}\t\t{accepted}\t{name}\t\t{above}\t{rank}\t{status}"


_TAXA = "\n".join(
    (_HEADER, _row(1, 2, 'Pandalus ampla', "Species", "unaccepted"),
     _row(2, 2, "Pandalus amplus", "Species", "accepted"),
     _row(3, 3, 'Pandalus "odd', "Species", "accepted"), "short\trow", "")
)  # fmt: skip


@pytest.mark.parametrize("form", ["file", "folder", "zip"])
def test_export__is_read_in_each_of_its_forms(tmp_path: Path, form: str) -> None:
    path = tmp_path / "taxon.txt"
    path.write_text(_TAXA, encoding="utf-8")
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "WoRMS.zip", "w") as archive:
            archive.write(path, "WoRMS_DwC-A/taxon.txt")
    export = WormsExport({"file": path, "folder": tmp_path, "zip": tmp_path / "WoRMS.zip"}[form])
    (found,), not_asked = update_records((resolve_name("Pandalus ampla"),), export)
    assert (found.accepted, found.aphia_id, not_asked) == ("Pandalus amplus", 2, ())
    assert found.source.startswith("WoRMS export ")


@pytest.mark.parametrize("content", [b"", b"a\tb\n1\t2\n", b"PK\x03\x04 no zip", b"\xff\xfe\x00"])
def test_export__that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "taxon.txt"
    path.write_bytes(content)
    with pytest.raises(NamesError, match=r"taxon\.txt"):
        WormsExport(path)
    with pytest.raises(NamesError, match="cannot be read"):
        WormsExport(tmp_path / "absent.zip")


# --- the table beside a bundle --------------------------------------------------------------------


def test_names_file__gives_back_what_was_written(tmp_path: Path) -> None:
    names = ("Paralomis cf. papillata", "crab", "Bathydoriss", "Chionoecetes tanneri", "=1+1", "'x")
    records = resolve_names(names)
    path = tmp_path / "names.csv"
    write_names(records, path)
    assert read_names(path) == records
    assert "\n=1" not in path.read_text()  # no spreadsheet runs it


@given(st.lists(st.text(max_size=20), max_size=4, unique=True))
@settings(max_examples=30, deadline=None)
def test_names_file__holds_any_name(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("names") / "names.csv"
    records = tuple(NameRecord(name=name) for name in names if name.isprintable())
    write_names(records, path)
    assert read_names(path) == records


def test_known_names__a_table_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "bundle.names.csv"
    assert names_path_beside(tmp_path / "bundle") == path
    own = NameRecord(name="crab", accepted="Brachyura", rank="infraorder", how="WoRMS")
    write_names((own,), path)
    found = known_names(("crab", "Munida"), path=path)
    assert found["crab"] == own
    assert found["Munida"].rank == "genus"
    assert known_names(("crab",), path=tmp_path / "none.csv")["crab"].accepted == ""


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("confidence", "2", "from 0 to 1"),
        ("confidence", "much", "line 2"),
        ("aphia_id", "12x", "whole number"),
        ("how", "guessed", "how 'guessed' is unknown"),
        ("status", "fine", "status 'fine' is unknown"),
        ("lineage", "Animalia", "no step of a lineage"),
        ("lineage", "Animalia [$x$]", "no step of a lineage"),
        ("rank", "<b>", "is no rank"),
        ("rank", "\x1b[2J", "is no rank"),
    ],
)
def test_names_file__says_what_is_wrong_in_it(
    tmp_path: Path, column: str, cell: str, words: str
) -> None:
    path = tmp_path / "names.csv"
    row = dict.fromkeys(COLUMNS, "") | {"name": "a", "how": "exact", "status": "open", column: cell}
    path.write_text(f"{','.join(COLUMNS)}\n{','.join(row.values())}\n")
    with pytest.raises(NamesError, match=words):
        read_names(path)
