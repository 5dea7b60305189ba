"""The log of reviews: what stands, what is taken back, and which files are refused."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import NoSpaceError, OtherRunError, OutputError, ReviewsError
from finding_nemo.reviewing.review_store import (
    NamedCategory,
    NewReview,
    ReviewStore,
    default_store,
    open_store,
)

ABOUT = {"predictions": "a" * 64, "bundle_hash": "b" * 64}
CRAB, FISH = NamedCategory(1, "crab"), NamedCategory(2, "fish")


def statement(image_id: str, *categories: NamedCategory, reviewer: str = "anna") -> NewReview:
    return NewReview(image_id=image_id, categories=categories, reviewer=reviewer)


def test_log__is_the_same_after_it_was_closed(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    whole = NewReview(
        image_id="f1",
        categories=(CRAB, NamedCategory(7, 'O\'Brien "é" ; \u2603')),
        rejected=(FISH,),
        is_complete=False,
        reviewer="anna",
        time="2026-01-02T03:04:05+00:00",
        machine={"answer": "fish", "probability": 0.25},
    )
    with open_store(path, ABOUT) as store:
        first = store.add(whole)
        second = store.add(statement("f2"))
        assert (first.number, second.number) == (1, 2)
        assert second.statement.time.endswith("+00:00")
        before = store.log
    with open_store(path, ABOUT) as store:
        assert store.log == before
        assert store.log[0].statement == whole


def test_standing__is_the_last_review_that_was_not_taken_back(tmp_path: Path) -> None:
    with open_store(tmp_path / "x.sqlite", ABOUT) as store:
        store.add(statement("f1", CRAB))
        store.add(statement("f2", FISH, reviewer="ben"))
        store.add(statement("f1", FISH))
        assert [r.number for r in store.standing().values()] == [2, 3]
        undone = store.undo()
        assert undone is not None
        assert (undone.number, undone.is_undone) == (3, True)
        assert store.standing()["f1"].statement.categories == (CRAB,)
        # Of ben there is one, and only that can be taken back as his.
        assert getattr(store.undo("ben"), "number", None) == 2
        assert store.undo("ben") is None
        assert getattr(store.undo(), "number", None) == 1
        assert store.undo() is None
        assert [r.is_undone for r in store.log] == [True, True, True]
        # Undo is a line of the log, so the next number is not that of a review that is gone.
        assert store.add(statement("f3")).number == 7


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("fgh"), st.sampled_from("ab")),
            st.sampled_from([None, "a", "b"]),
        ),
        max_size=12,
    )
)
def test_standing__equals_a_slow_account(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str] | str | None]
) -> None:
    path = tmp_path_factory.mktemp("log") / "x.sqlite"
    kept: list[tuple[str, str, int]] = []  # frame, reviewer, number: what was not taken back
    with open_store(path, ABOUT) as store:
        for step in steps:
            if isinstance(step, tuple):
                number = store.add(statement(step[0], reviewer=step[1])).number
                kept.append((*step, number))
                continue
            counts = [k for i, k in enumerate(kept) if k[0] not in {f for f, _, _ in kept[i + 1 :]}]
            own = [k for k in counts if step is None or k[1] == step]
            undone = store.undo(step)
            assert (undone.number if undone else None) == (own[-1][2] if own else None)
            if own:
                kept.remove(own[-1])
    with open_store(path, ABOUT) as store:
        found = {frame: review.number for frame, review in store.standing().items()}
        assert found == {frame: number for frame, _, number in kept}


def test_log__only_grows(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with open_store(path, ABOUT) as store:
        store.add(statement("f1", CRAB))
    connection = sqlite3.connect(path)
    for command in ("UPDATE events SET reviewer = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            connection.execute(command)
    connection.close()


def test_line_that_was_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with open_store(path, ABOUT) as store:
        store.add(statement("f1", CRAB))
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER no_change")
    connection.execute("UPDATE events SET reviewer = 'ben'")
    connection.commit()
    connection.close()
    with pytest.raises(ReviewsError, match="line 1 of the log is not as it was written"):
        open_store(path, ABOUT)


def _database(path: Path, *commands: str) -> None:
    connection = sqlite3.connect(path)
    for command in commands:
        connection.execute(command)
    connection.commit()
    connection.close()


def test_other_files_are_refused_and_stay_as_they_are(tmp_path: Path) -> None:
    text = tmp_path / "reviews.csv"
    text.write_text("id,categories\nf1,crab\n")
    other = tmp_path / "other.sqlite"
    _database(other, "CREATE TABLE songs (name TEXT)")
    newer = tmp_path / "newer.sqlite"
    open_store(newer, ABOUT).close()
    _database(newer, "PRAGMA user_version = 99")
    for path, words in (
        (text, "no file of kept reviews"),
        (other, "another program"),
        (newer, "version 99"),
        (tmp_path / "nowhere" / "deep" / "x", ""),
    ):
        before = path.read_bytes() if path.exists() else None
        if before is None:
            open_store(path, ABOUT).close()  # folders are made
            continue
        with pytest.raises(ReviewsError, match=words):
            open_store(path, ABOUT)
        assert path.read_bytes() == before
    with pytest.raises(OutputError, match="--reviews-db"):
        open_store(tmp_path, ABOUT)


def test_reviews_of_other_predictions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    open_store(path, ABOUT).close()
    with pytest.raises(ReviewsError, match=r"other predictions .*--reviews-db"):
        open_store(path, {**ABOUT, "predictions": "c" * 64})
    open_store(path, {**ABOUT, "bundle_hash": "another"}).close()


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with open_store(path, ABOUT) as store:
        for number in range(200):
            store.add(statement(f"f{number}", CRAB))
    content = bytearray(path.read_bytes())
    content[2 * 4096 : 6 * 4096] = b"\xff" * (4 * 4096)
    path.write_bytes(content)
    with pytest.raises(ReviewsError, match="damaged"):
        open_store(path, ABOUT)


@pytest.mark.parametrize(
    ("kind", "undoes", "content"),
    [("undo", 99, "{}"), ("review", None, "{"), ("review", None, "[]"), ("review", None, "{}")],
)
def test_line_that_says_nothing_is_told_and_the_file_is_let_go(
    tmp_path: Path, kind: str, undoes: int | None, content: str
) -> None:
    path = tmp_path / "x.sqlite"
    open_store(path, ABOUT).close()
    row = [1, kind, undoes, "f1", content, "anna", "now"]
    digest = hashlib.sha256(json.dumps(row).encode()).hexdigest()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, digest))
    connection.commit()
    connection.close()
    with pytest.raises(ReviewsError, match="damaged"):
        open_store(path, ABOUT)
    assert [file.name for file in tmp_path.iterdir()] == ["x.sqlite"]


def test_file_that_may_only_be_read_is_told_before_a_review(tmp_path: Path) -> None:
    """Of a later format of SQLite, whose files this one only reads: so it is for root, too."""
    path = tmp_path / "x.sqlite"
    open_store(path, ABOUT).close()
    content = bytearray(path.read_bytes())
    content[18] = 9
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"readonly.*--reviews-db"):
        open_store(path, ABOUT)


def test_named_pipe_is_no_place_for_reviews(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="no regular file"):
        open_store(tmp_path / "pipe", ABOUT)


def test_two_processes_cannot_have_it(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with open_store(path, ABOUT), pytest.raises(OtherRunError, match="keeps reviews in"):
        open_store(path, ABOUT)
    open_store(path, ABOUT).close()


def test_review_that_cannot_be_written_does_not_count(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite", ABOUT)
    store.add(statement("f1"))
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(OutputError, match="does not count"):
        store.add(statement("f2"))
    assert list(store.standing()) == ["f1"]
    store.close()


def test_review_that_the_disk_has_no_room_for_is_told_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite", ABOUT)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpaceError, match="does not count"):
        store.add(statement("f" * 10_000))
    assert store.log == ()
    store.close()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_review_for_a_file_that_was_taken_away_does_not_count(
    tmp_path: Path, is_replaced: bool
) -> None:
    """What is written into a file without a name is gone when that is closed."""
    path = tmp_path / "x.sqlite"
    store = open_store(path, ABOUT)
    store.add(statement("f1"))
    path.rename(tmp_path / "moved")
    if is_replaced:
        path.write_bytes(b"")
    with pytest.raises(OutputError, match="moved, removed or replaced"):
        store.add(statement("f2"))
    with pytest.raises(OutputError, match="moved, removed or replaced"):
        store.undo()
    (tmp_path / "moved").replace(path)
    store.add(statement("f3"))
    assert list(store.standing()) == ["f1", "f3"]
    store.close()


def test_default_place_is_beside_the_predictions() -> None:
    assert default_store(Path("a/dive.parquet")) == Path("a/dive.reviews.sqlite")


def test_store_is_closed_by_its_block(tmp_path: Path) -> None:
    with open_store(tmp_path / "x.sqlite", ABOUT) as store:
        assert isinstance(store, ReviewStore)
    with pytest.raises(sqlite3.ProgrammingError):
        store._connection.execute("SELECT 1")
