"""Which name of a table a misspelled one means, where only one comes near."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

_LETTERS = "abcdefghijklmnopqrstuvwxyz "
# One wrong letter of a name that short may make another animal of it.
_MIN_LETTERS = {1: 7, 2: 11}


@dataclass(frozen=True)
class SpellingIndex:
    """The names of a table, ready to be compared with.

    Attributes:
        names: From a name in lower case to what it stands for.
    """

    names: Mapping[str, str]

    @cached_property
    def _keys(self) -> tuple[str, ...]:
        return tuple(self.names)

    @cached_property
    def _counts(self) -> npt.NDArray[np.int64]:
        return np.stack([_letter_counts(key) for key in self._keys])

    def near(self, key: str) -> tuple[str, ...]:
        """Return the names within 2 edits of `key`, or within 1 if it is short; nearest first."""
        if len(key) < _MIN_LETTERS[1] or len(key) > 100:
            return ()
        edits = 2 if len(key) >= _MIN_LETTERS[2] else 1
        # An edit changes the counts of at most two letters, by one each.
        difference = np.abs(self._counts - _letter_counts(key)).sum(axis=1)
        found = []
        for at in np.flatnonzero(difference <= 2 * edits):
            distance = edit_distance(key, self._keys[int(at)])
            if distance <= edits:
                found.append((distance, self.names[self._keys[int(at)]]))
        return tuple(dict.fromkeys(name for _, name in sorted(found)))


def _letter_counts(key: str) -> npt.NDArray[np.int64]:
    counted = Counter(key)
    known = [counted.pop(letter, 0) for letter in _LETTERS]
    return np.asarray([*known, sum(counted.values())], dtype=np.int64)


def edit_distance(first: str, second: str) -> int:
    """Return the least number of letters put in, left out, changed, or swapped with the next.

    No letter is edited twice (optimal string alignment).

    Source:
        Damerau, "A technique for computer detection and correction of spelling errors", 1964.

    Example:
        >>> edit_distance("chionoecetes", "chionecoetes")
        2
    """
    before: list[int] = []
    above = list(range(len(second) + 1))
    for i, a in enumerate(first, start=1):
        row = [i]
        for j, b in enumerate(second, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, above = above, row
    return above[-1]
