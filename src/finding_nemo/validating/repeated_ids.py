"""Ids that stand twice in a file of any length: eight bytes of memory for each of its rows."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np


class RepeatedIds:
    """Keeps a hash of each id; who has two of one hash is looked at again in the file."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, ids: Iterable[str]) -> None:
        """Take the ids of some rows."""
        self._hashes.extend(map(hash, ids))

    def repeated(self, again: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
        """Yield position, id and first position of each id that was there before.

        Args:
            again: Position and id of each row, from the first on; read only if it must be.
        """
        hashes = np.sort(np.frombuffer(self._hashes, dtype=np.int64))
        suspects = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        if not suspects:
            return
        first: dict[str, str] = {}
        for position, each in again:
            if hash(each) in suspects and first.setdefault(each, position) != position:
                yield position, each, first[each]
