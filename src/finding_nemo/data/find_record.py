"""Which frame of a data set an image is: by where its file is, else by its name."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from finding_nemo.core.records import ImageRecord
from finding_nemo.data.filesystems.filesystem import is_url, path_part
from finding_nemo.data.filesystems.name_text import name_of_text

_IN_TAR = "tar://"


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """The frames that an image may be.

    Attributes:
        records: One where it is known, several where they share its name, none where it is not
            there.
        is_by_name: Whether the file is another one, and the name alone says so.
    """

    records: tuple[ImageRecord, ...] = ()
    is_by_name: bool = False


class RecordFinder:
    """Finds frames of a data set."""

    def __init__(self, records: Iterable[ImageRecord]) -> None:
        """Look among `records`; by name only among those that have labels."""
        self._by_path: dict[str, ImageRecord] = {}
        self._by_name: defaultdict[str, list[ImageRecord]] = defaultdict(list)
        self._by_id: defaultdict[str, list[ImageRecord]] = defaultdict(list)
        for record in records:
            path = os.path.realpath(record.path)
            if record.category_ids is None:
                self._by_path.setdefault(path, record)
            else:
                self._by_path[path] = record
                self._by_name[record.path.name].append(record)
                self._by_id[record.image_id].append(record)

    def find(self, path: str, image_id: str) -> FoundRecords:
        """Return the frame whose file this is; else those with its file name; else with its id.

        Args:
            path: A file, a URL, or `tar://MEMBER::TAR`, as text.
            image_id: What the image is called where it was found.
        """
        own = self._by_path.get(os.path.realpath(path))
        if own is not None:
            return FoundRecords((own,))
        named = self._by_name.get(_file_name(path)) or self._by_id.get(image_id)
        return FoundRecords(tuple(named or ()), is_by_name=True)


def _file_name(path: str) -> str:
    """Return the name of a file, of a member of a tar, or of what a URL leads to."""
    if path.startswith(_IN_TAR):
        return PurePosixPath(name_of_text(path.removeprefix(_IN_TAR).partition("::")[0])).name
    return PurePosixPath(path_part(path) if is_url(path) else path).name
