"""The journal after any kind of end, and the two tables for people."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.text.cells import undefused
from finding_nemo.fetching.fetched_list import (
    FetchedImage,
    FetchJournal,
    MissingImage,
    write_fetched,
    write_missing,
)

IMAGE = FetchedImage(
    file="dive/a.png",
    image_id="a",
    url="https://d.org/a.png",
    asked_url="https://h.org/a.png",
    sha256="0" * 64,
    n_bytes=12,
    width=4,
    height=3,
    fetched="2026-03-01T12:00:00Z",
    depth_m=812.5,
)


def test_journal__gives_the_last_line_of_each_file(tmp_path: Path) -> None:
    journal = FetchJournal(tmp_path)
    assert journal.read() == {}
    later = replace(IMAGE, n_bytes=13)
    for image in (IMAGE, replace(IMAGE, file="b\n.png"), later):
        journal.add(image)
    assert journal.read() == {"dive/a.png": later, "b\n.png": replace(IMAGE, file="b\n.png")}
    assert journal.n_damaged == 0


def test_journal__cut_anywhere_keeps_all_lines_before_and_after(tmp_path: Path) -> None:
    journal = FetchJournal(tmp_path)
    journal.add(IMAGE)
    journal.add(replace(IMAGE, file="b.png"))
    path = journal.state_folder / "journal.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in (*range(first, len(whole) - 1, 9), len(whole) - 1):
        path.write_bytes(whole[:end])
        again = FetchJournal(tmp_path)
        again.add(replace(IMAGE, file="c.png"))
        found = again.read()
        assert {"dive/a.png", "c.png"} <= set(found)
        assert again.n_damaged + len(found) == (2 if end == first else 3)


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_journal__of_any_bytes_is_read(tmp_path_factory: object, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")  # type: ignore[attr-defined]
    journal = FetchJournal(folder)
    journal.state_folder.mkdir()
    (journal.state_folder / "journal.jsonl").write_bytes(content)
    assert journal.read() == {}


def test_tables__hold_what_they_were_given_and_no_formula(tmp_path: Path) -> None:
    odd = ("=1+1", "@x", 'a "b", c', "two\nlines", "\udcff", "é🦀", " blank ", "-5")
    rows = [replace(IMAGE, file=name, image_id=name) for name in odd]
    path = write_fetched(tmp_path, rows)
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    for name, row in zip(odd, read, strict=True):
        assert row["file"][0] not in "=+-@"
        assert undefused(row["file"]) == name.replace("\udcff", "\\udcff")
        assert (row["n_bytes"], row["depth_m"], row["latitude"]) == ("12", "812.5", "")


def test_table_of_the_missing__goes_when_nothing_is(tmp_path: Path) -> None:
    missing = MissingImage(file="a.png", image_id="a", url="https://h/a", reason="404")
    path = write_missing(tmp_path, [missing])
    assert path is not None
    assert path.read_text() == "file,image_id,url,reason\na.png,a,https://h/a,404\n"
    assert write_missing(tmp_path, []) is None
    assert not path.exists()
    assert write_missing(tmp_path, []) is None
