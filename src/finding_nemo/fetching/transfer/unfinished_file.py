"""A file that is not whole yet, with what it takes to go on with it after any kind of end."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from finding_nemo.core.files.atomic_files import raise_output_error


@dataclass(frozen=True, slots=True)
class Begun:
    """How far a file is.

    Attributes:
        offset: Bytes that are here.
        validator: For If-Range.
        total: Bytes of the whole, if known.
    """

    offset: int = 0
    validator: str = ""
    total: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing, so far as is known."""
        return self.offset > 0 and self.offset == self.total


@dataclass(frozen=True, slots=True)
class _Origin:
    url: str
    validator: str
    total: int | None


class UnfinishedFile:
    """The unfinished file of one image, in a folder that holds those of all.

    What it came from is written before its first byte. One that cannot be gone on with for sure
    (from another address, or from a server that does not say which version it was) is begun anew:
    halves of two versions would make an image that nobody took.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Name the files of the image `name`; nothing is made or read yet."""
        stem = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self.path = folder / f"{stem}.unfinished"
        self._origin_path = folder / f"{stem}.json"

    def begun(self, url: str) -> Begun:
        """Return how far the file from `url` is; nothing where it cannot be gone on with."""
        origin = self._origin()
        if origin is None or origin.url != url:
            return Begun()
        try:
            size = self.path.stat().st_size
        except OSError:
            return Begun()
        if size == origin.total:
            return Begun(size, origin.validator, origin.total)
        if not origin.validator or (origin.total is not None and size > origin.total):
            return Begun()
        return Begun(size, origin.validator, origin.total)

    def _origin(self) -> _Origin | None:
        try:
            found = json.loads(self._origin_path.read_text(encoding="utf-8"))
            origin = _Origin(str(found["url"]), str(found["validator"]), found["total"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return origin if isinstance(origin.total, int | None) else None

    def begin(self, url: str, *, validator: str, total: int | None) -> BinaryIO:
        """Open the file anew, empty.

        Raises:
            OutputError: If it cannot be written; `NoSpaceError` if the disk is full.
        """
        with raise_output_error(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("wb")
            beside = self._origin_path.with_suffix(".new")
            beside.write_text(json.dumps(asdict(_Origin(url, validator, total))), encoding="utf-8")
            os.replace(beside, self._origin_path)
        return file

    def go_on(self) -> BinaryIO:
        """Open the file to append to it.

        Raises:
            OutputError: If it cannot be written.
        """
        with raise_output_error(self.path):
            return self.path.open("ab")

    def discard(self) -> None:
        """Remove what is here."""
        for path in (self.path, self._origin_path):
            with suppress(OSError):
                path.unlink()
