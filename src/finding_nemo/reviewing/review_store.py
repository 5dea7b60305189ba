"""Reviews kept in one SQLite file: a log that only grows, on the disk before it is acknowledged.

What is written: who said when what of which frame, with ids and names of the categories, and what
the model had answered then. A review that was taken back stays in the log; another line says so.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from finding_nemo.core.errors import NoSpaceError, OutputError, ReviewsError
from finding_nemo.core.files.locking import held_alone
from finding_nemo.core.provenance import now_utc

# "FNrv" in ASCII: what tells our files from those of other programs.
APPLICATION_ID = 0x464E7276
SCHEMA_VERSION = 1
SUFFIX = ".reviews.sqlite"
_MAGIC = b"SQLite format 3\x00"
_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('review', 'undo')),
    undoes INTEGER REFERENCES events (number),
    image_id TEXT NOT NULL,
    content TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    time TEXT NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
CREATE TRIGGER no_change BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'a log of reviews only grows'); END;
CREATE TRIGGER no_removal BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'a log of reviews only grows'); END;
"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_LOG = "SELECT * FROM events ORDER BY number"


@dataclass(frozen=True, slots=True)
class NamedCategory:
    """A category as a review keeps it: its name tells it where its id is of another table."""

    category_id: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewReview:
    """What a person says of a frame.

    Attributes:
        image_id: The frame.
        categories: What is there.
        rejected: What was looked for and is not there.
        is_complete: Whether all that is there is named; nothing named means nothing there.
        reviewer: Who looked, "" if nobody says.
        time: When, "" takes the present.
        machine: What the model had answered, JSON-ready; kept beside the person's answer.
    """

    image_id: str
    categories: tuple[NamedCategory, ...]
    rejected: tuple[NamedCategory, ...] = ()
    is_complete: bool = True
    reviewer: str = ""
    time: str = ""
    machine: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredReview:
    """A review in the log.

    Attributes:
        number: Its number in the log, from 1; later ones have larger numbers.
        statement: What the person said.
        is_undone: Whether it was taken back.
    """

    number: int
    statement: NewReview
    is_undone: bool = False


class ReviewStore:
    """The log of reviews of one predictions file."""

    def __init__(self, path: Path, connection: sqlite3.Connection, held: ExitStack) -> None:
        """Take what `open_store` opened."""
        self.path = path
        self._connection = connection
        self._held = held
        self._file = _identity(path)
        self._log = _read_log(connection, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def log(self) -> Sequence[StoredReview]:
        """All reviews ever given, by number, those taken back among them."""
        return tuple(self._log.values())

    def standing(self) -> dict[str, StoredReview]:
        """Return the review that counts of each frame: its last one that was not taken back.

        They are in the order in which they were given.
        """
        found: dict[str, StoredReview] = {}
        for review in self._log.values():
            if not review.is_undone:
                found.pop(review.statement.image_id, None)
                found[review.statement.image_id] = review
        return found

    def add(self, statement: NewReview) -> StoredReview:
        """Keep a review; it is on the disk when this returns.

        Raises:
            OutputError: If it cannot be written; then nothing of it is kept.
        """
        if not statement.time:
            statement = replace(statement, time=now_utc())
        number = self._append("review", None, statement)
        self._log[number] = StoredReview(number=number, statement=statement)
        return self._log[number]

    def undo(self, reviewer: str | None = None) -> StoredReview | None:
        """Take back the latest review that counts; return it, or `None` if there is none.

        What was said of the frame before that counts again.

        Args:
            reviewer: Only a review by this person.

        Raises:
            OutputError: If it cannot be written.
        """
        numbers = [
            review.number
            for review in self.standing().values()
            if reviewer is None or review.statement.reviewer == reviewer
        ]
        if not numbers:
            return None
        undone = self._log[max(numbers)]
        taken = NewReview(
            image_id=undone.statement.image_id,
            categories=(),
            reviewer=undone.statement.reviewer if reviewer is None else reviewer,
            time=now_utc(),
        )
        self._append("undo", undone.number, taken)
        self._log[undone.number] = replace(undone, is_undone=True)
        return self._log[undone.number]

    def close(self) -> None:
        """Close the file and let other processes have it."""
        self._connection.close()
        self._held.close()

    def _append(self, kind: str, undoes: int | None, statement: NewReview) -> int:
        content = _content_of(statement) if kind == "review" else "{}"
        self._refuse_lost_file(statement)
        try:
            with self._connection:
                # One writer holds the file, so nobody takes this number in between.
                last = self._connection.execute("SELECT max(number) FROM events").fetchone()[0]
                number: int = (last or 0) + 1
                row = (
                    number,
                    kind,
                    undoes,
                    statement.image_id,
                    content,
                    statement.reviewer,
                    statement.time,
                )
                self._connection.execute(_INSERT, (*row, _digest(row)))
        except sqlite3.Error as error:
            refusal = NoSpaceError if _is_full(error) else OutputError
            raise refusal(
                f"The review of {statement.image_id!r} could not be written to {self.path}: "
                f"{error}. It does not count. Make room, or see that the file may be written, and "
                "give it again."
            ) from error
        return number

    def _refuse_lost_file(self, statement: NewReview) -> None:
        """Refuse what would go into a file that no name leads to any more."""
        if _identity(self.path) != self._file:
            raise OutputError(
                f"The review of {statement.image_id!r} does not count: {self.path}, which keeps "
                "reviews, was moved, removed or replaced while it was open. Put it back, or start "
                "again, and give the review again."
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; `None` if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def default_store(predictions: Path) -> Path:
    """Return where the reviews of a predictions file are kept: beside it."""
    return predictions.with_name(predictions.stem + SUFFIX)


def open_store(path: Path, about: Mapping[str, str]) -> ReviewStore:
    """Open a log of reviews, or begin one.

    Args:
        path: The file.
        about: What it is of: `predictions` is the content hash of the predictions and must be the
            same each time, all else is kept as it was when the log began.

    Raises:
        ReviewsError: If the file is something else, damaged, of a newer version, or of other
            predictions.
        OtherRunError: If another process has it open.
        OutputError: If it cannot be made or written.
    """
    _refuse_other_files(path)
    with ExitStack() as stack:
        stack.enter_context(
            held_alone(path.with_name(path.name + ".lock"), f"keeps reviews in {path}")
        )
        try:
            # The session that holds it lets one thread in at a time.
            connection = sqlite3.connect(path, check_same_thread=False)
            stack.enter_context(closing(connection))
            _prepare(connection, path, about)
        except sqlite3.DatabaseError as error:
            raise _unusable(path, error) from error
        held = ExitStack()
        store = ReviewStore(path, connection, held)
        held.push(stack.pop_all())
    return store


def _unusable(path: Path, error: Exception) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        return OutputError(
            f"The reviews cannot be kept in {path}: {error}. Choose another file by --reviews-db."
        )
    return ReviewsError(
        f"{path} is damaged ({error}). Take a copy of it that is whole, or name another file by "
        "--reviews-db."
    )


def _refuse_other_files(path: Path) -> None:
    try:
        # Before it is opened: a named pipe would wait for somebody who writes.
        if not stat.S_ISREG(path.stat().st_mode):
            raise OutputError(
                f"The reviews cannot be kept in {path}: it is no regular file. Choose another file "
                "by --reviews-db."
            )
        with path.open("rb") as file:
            first = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"The reviews cannot be kept in {path}: {error.strerror or error}. Choose another file "
            "by --reviews-db."
        ) from error
    if first and first != _MAGIC:
        raise ReviewsError(
            f"{path} is no file of kept reviews. Give reviews in a table (CSV) by --reviews; "
            f"--reviews-db names the file that keeps them (usually NAME{SUFFIX})."
        )


def _prepare(connection: sqlite3.Connection, path: Path, about: Mapping[str, str]) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise ReviewsError(
            f"{path} is a database of another program. Name another file by --reviews-db."
        )
    if version > SCHEMA_VERSION:
        raise ReviewsError(
            f"{path} has version {version}; this program reads up to {SCHEMA_VERSION}. Install "
            "the newer version that wrote it."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if not tables:
        _begin(connection, about)
    damage = connection.execute("PRAGMA quick_check").fetchone()[0]
    if damage != "ok":
        raise _unusable(path, sqlite3.DatabaseError(damage))
    # A file that may only be read is told now, not after the first frame was looked at.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.rollback()
    kept = dict(connection.execute("SELECT name, value FROM about").fetchall())
    if kept.get("predictions") != about["predictions"]:
        raise ReviewsError(
            f"{path} holds reviews of other predictions (content {kept.get('predictions', '')[:12]}"
            f"..., these are {about['predictions'][:12]}...). Name another file by --reviews-db; "
            "to take the reviews along, write them as reviews.csv from the old predictions and "
            "give that by --reviews."
        )


def _begin(connection: sqlite3.Connection, about: Mapping[str, str]) -> None:
    # All or nothing: a process that ends here leaves a file without tables, which is begun anew.
    rows = {"created": now_utc(), **about}
    script = [
        "BEGIN IMMEDIATE;",
        f"PRAGMA application_id = {APPLICATION_ID};",
        f"PRAGMA user_version = {SCHEMA_VERSION};",
        _SCHEMA,
    ]
    connection.executescript("\n".join(script))
    connection.executemany("INSERT INTO about VALUES (?, ?)", rows.items())
    connection.commit()


def _read_log(connection: sqlite3.Connection, path: Path) -> dict[int, StoredReview]:
    found: dict[int, StoredReview] = {}
    try:
        for *row, digest in connection.execute(_LOG):
            if _digest(row) != digest:
                raise ReviewsError(
                    f"{path}: line {row[0]} of the log is not as it was written; the file was "
                    "damaged or changed. Take a copy of it that is whole."
                )
            number, kind, undoes, image_id, content, reviewer, time = row
            if kind == "undo":
                found[undoes] = replace(found[undoes], is_undone=True)
            else:
                statement = _said(image_id, json.loads(content), reviewer, time)
                found[number] = StoredReview(number=number, statement=statement)
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error
    except (ValueError, LookupError, TypeError) as error:
        if isinstance(error, ReviewsError):
            raise
        raise _unusable(path, sqlite3.DatabaseError("a line of the log says nothing")) from error
    return found


def _content_of(statement: NewReview) -> str:
    content = {
        "categories": [[entry.category_id, entry.name] for entry in statement.categories],
        "rejected": [[entry.category_id, entry.name] for entry in statement.rejected],
        "complete": statement.is_complete,
        "machine": None if statement.machine is None else dict(statement.machine),
    }
    # Lone surrogates of odd file names are kept as escapes: SQLite's text is UTF-8.
    return json.dumps(content)


def _said(image_id: str, content: Mapping[str, Any], reviewer: str, time: str) -> NewReview:
    return NewReview(
        image_id=image_id,
        categories=tuple(NamedCategory(*entry) for entry in content["categories"]),
        rejected=tuple(NamedCategory(*entry) for entry in content["rejected"]),
        is_complete=content["complete"],
        reviewer=reviewer,
        time=time,
        machine=content["machine"],
    )


def _digest(row: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(list(row)).encode()).hexdigest()
