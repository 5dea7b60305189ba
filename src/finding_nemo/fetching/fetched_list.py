"""What was fetched and what is missing: a journal while it goes on, two tables for people."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import OutputExistsError
from finding_nemo.core.files.atomic_files import raise_output_error, write_text
from finding_nemo.core.text.cells import defused

STATE_FOLDER = ".finding-nemo-fetch"
FETCHED_FILE = "fetched.csv"
MISSING_FILE = "missing.csv"
_JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedImage:
    """One image that is here.

    Attributes:
        file: Its path below the folder, with "/".
        image_id: Its id in the data set.
        url: Where it came from; "" if it was here already.
        asked_url: The address that the annotations give.
        sha256: Of its bytes.
        n_bytes: Its size.
        width: In px.
        height: In px.
        fetched: When, UTC, as 2026-01-31T12:00:00Z.
        depth_m: Metres below the surface, where FathomNet said so.
        latitude: In degrees, where FathomNet said so.
        longitude: In degrees, where FathomNet said so.
        note: What is odd about it; "" if nothing is.
    """

    file: str
    image_id: str
    url: str
    asked_url: str
    sha256: str
    n_bytes: int
    width: int
    height: int
    fetched: str
    depth_m: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingImage:
    """One image that is not here, and why.

    Attributes:
        file: Its path below the folder.
        image_id: Its id in the data set.
        url: The address that the annotations give.
        reason: Why not, in words; of each address that was tried.
    """

    file: str
    image_id: str
    url: str
    reason: str


class FetchJournal:
    """The journal of a folder: a line for each image, written before the image gets its name.

    A line counts where its file is there and has its size: after any kind of end, an image that has
    its name is known, and one whose line was lost is looked at and not fetched again.
    """

    def __init__(self, folder: Path) -> None:
        """Name the journal of `folder`; nothing is read or made yet."""
        self.state_folder = folder / STATE_FOLDER
        self._path = self.state_folder / _JOURNAL
        self._is_at_line = False
        self.n_damaged = 0

    def read(self) -> Mapping[str, FetchedImage]:
        """Return the last line of each file.

        Lines that a killed process left unfinished count in `n_damaged`.

        Raises:
            OutputError: If it is there and cannot be read.
        """
        found: dict[str, FetchedImage] = {}
        with raise_output_error(self._path):
            lines = self._path.read_bytes().split(b"\n") if self._path.exists() else []
        for line in lines:
            if not line.strip():
                continue
            image = _image_of(line)
            if image is None:
                self.n_damaged += 1
            else:
                found[image.file] = image
        return found

    def add(self, image: FetchedImage) -> None:
        """Add a line.

        Raises:
            OutputError: If it cannot be written; `NoSpaceError` if the disk is full.
        """
        line = json.dumps(asdict(image), allow_nan=False).encode() + b"\n"
        with raise_output_error(self._path):
            self.state_folder.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                # The last line of a process that was killed may have no end.
                is_at_line, self._is_at_line = self._is_at_line or file.tell() == 0, False
                file.write(line if is_at_line else b"\n" + line)
        self._is_at_line = True


def _image_of(line: bytes) -> FetchedImage | None:
    try:
        values: Any = json.loads(line)
        known = {field.name for field in fields(FetchedImage)}
        image = FetchedImage(**{name: values[name] for name in known})
    except (ValueError, TypeError, KeyError):
        return None
    return image if isinstance(image.file, str) and isinstance(image.n_bytes, int) else None


def refuse_strange_tables(folder: Path) -> None:
    """Check that the two tables of a folder, where they are there, are those of an earlier fetch.

    Raises:
        OutputExistsError: If one is a file of the person's own, which is never replaced.
    """
    refuse_strange_table(folder / FETCHED_FILE, FetchedImage)
    refuse_strange_table(folder / MISSING_FILE, MissingImage)


def refuse_strange_table(path: Path, kind: type) -> None:
    """Check that a file, where it is there, is a table of dataclasses of this kind.

    Raises:
        OutputExistsError: If it is anything else.
    """
    header = ",".join(field.name for field in fields(kind)).encode()
    with raise_output_error(path):
        if not os.path.lexists(path):
            return
        if path.is_file():
            with path.open("rb") as file:
                if file.readline(len(header) + 2).rstrip() == header:
                    return
    raise OutputExistsError(
        f"{path} is a file that no fetch wrote; it is not replaced. Choose another folder, or give "
        "that file another name."
    )


def write_fetched(folder: Path, images: Sequence[FetchedImage]) -> Path:
    """Write the table of what is here, whole or not at all, and return its path."""
    return write_rows(folder / FETCHED_FILE, FetchedImage, images)


def write_missing(folder: Path, images: Sequence[MissingImage]) -> Path | None:
    """Write the table of what is missing; an old one goes where nothing is."""
    path = folder / MISSING_FILE
    if not images:
        with raise_output_error(path):
            path.unlink(missing_ok=True)
        return None
    return write_rows(path, MissingImage, images)


def write_rows(path: Path, kind: type, rows: Sequence[Any]) -> Path:
    """Write a table of dataclasses of one kind, whole or not at all, and return its path."""
    names = [field.name for field in fields(kind)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        values = asdict(row)
        writer.writerow([_cell(values[name]) for name in names])
    write_text(path, text.getvalue())
    return path


def _cell(value: object) -> object:
    """Return what a spreadsheet shows and does not compute; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    # Names that are no UTF-8 cannot be written as text.
    return defused(value.encode("utf-8", "backslashreplace").decode())
