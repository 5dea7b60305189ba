"""One id an image, in two passes over a stream and 16 bytes of memory an image."""

from __future__ import annotations

from array import array
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


class IdResolver:
    """Keeps ids that are used once, and gives other images their place, then a number.

    First `see` every image, then `close`, then `resolve` every image in the same order. Ids are
    held as 64-bit hashes, the same on every machine. Two ids with one hash would count as
    shared and be replaced by their places, which are unique too.
    """

    def __init__(self) -> None:
        """Begin with no image."""
        self._ids, self._places = array("Q"), array("Q")
        self._shared_ids: Hashes = np.empty(0, dtype=np.uint64)
        self._shared_places: Hashes = np.empty(0, dtype=np.uint64)
        self._seen: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def see(self, image_id: str, place: str) -> None:
        """Count one image that is at `place`."""
        self._ids.append(_hash(image_id))
        self._places.append(_hash(place))

    def close(self) -> None:
        """End the first pass."""
        self._shared_ids, self._shared_places = _repeated(self._ids), _repeated(self._places)
        self._seen = np.zeros(self._shared_places.size, dtype=np.int64)
        self._ids, self._places = array("Q"), array("Q")

    def resolve(self, image_id: str, place: str) -> str:
        """Return the id of the next image of the second pass."""
        if not _holds(self._shared_ids, _hash(image_id)):
            return image_id
        number = _hash(place)
        if not _holds(self._shared_places, number):
            return place
        index = int(np.searchsorted(self._shared_places, np.uint64(number)))
        self._seen[index] += 1
        count = int(self._seen[index])
        return place if count == 1 else f"{place}#{count}"


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogateescape"), digest_size=8).digest())


def _repeated(hashes: array[int]) -> Hashes:
    ordered = np.sort(np.frombuffer(hashes, dtype=np.uint64)) if len(hashes) else _nothing()
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _nothing() -> Hashes:
    return np.empty(0, dtype=np.uint64)


def _holds(ordered: Hashes, number: int) -> bool:
    place = int(np.searchsorted(ordered, np.uint64(number)))
    return place < ordered.size and int(ordered[place]) == number
