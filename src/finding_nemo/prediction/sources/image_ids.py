"""One id an image, in two passes over a stream and 16 bytes of memory an image."""

from __future__ import annotations

from array import array
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]


class IdResolver:
    """Keeps ids that are used once, and gives other images their place, then a number.

    First `add` every image, then `close`, then `resolve` every image in the same order. Ids are
    held as 64-bit hashes, the same on every machine. Two ids with one hash would count as
    shared and be replaced by their places, which are unique too. A place that is another image's
    id counts as shared as well.
    """

    def __init__(self) -> None:
        """Begin with no image."""
        self._ids, self._locations = array("Q"), array("Q")
        self._shared_ids: Hashes = _nothing()
        self._shared_locations: Hashes = _nothing()
        # Ids that are kept, and all places; only where some place is shared.
        self._own: Hashes = _nothing()
        self._all_locations: Hashes = _nothing()
        self._seen: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def add(self, image_id: str, location: str) -> None:
        """Count one image that is at `location`."""
        self._ids.append(_hash(image_id))
        self._locations.append(_hash(location))

    def close(self) -> None:
        """End the first pass."""
        ids, locations = _as_array(self._ids), _as_array(self._locations)
        self._ids, self._locations = array("Q"), array("Q")
        self._shared_ids = _repeated(ids)
        if not self._shared_ids.size:
            return
        own = np.setdiff1d(ids, self._shared_ids)
        self._shared_locations = np.union1d(_repeated(locations), np.intersect1d(locations, own))
        if self._shared_locations.size:
            self._own, self._all_locations = own, np.unique(locations)
        self._seen = np.zeros(self._shared_locations.size, dtype=np.int64)

    def resolve(self, image_id: str, location: str) -> str:
        """Return the id of the next image of the second pass."""
        if not _holds(self._shared_ids, _hash(image_id)):
            return image_id
        number = _hash(location)
        if not _holds(self._shared_locations, number):
            return location
        index = int(np.searchsorted(self._shared_locations, np.uint64(number)))
        while True:
            self._seen[index] += 1
            count = int(self._seen[index])
            numbered = location if count == 1 else f"{location}#{count}"
            if not self._is_taken(numbered, is_location=count == 1):
                return numbered

    def _is_taken(self, name: str, *, is_location: bool) -> bool:
        number = _hash(name)
        return _holds(self._own, number) or (
            not is_location and _holds(self._all_locations, number)
        )


def location_of(path: str, time_s: float | None) -> str:
    """Return the place of an image at `path`, `time_s` into its video if it is one."""
    return path if time_s is None else f"{path}@{clock_time(time_s)}"


def clock_time(time_s: float) -> str:
    """Return a time in a video as hours, minutes and seconds."""
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{seconds:06.3f}"


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())


def _as_array(hashes: array[int]) -> Hashes:
    return np.frombuffer(hashes, dtype=np.uint64) if len(hashes) else _nothing()


def _repeated(hashes: Hashes) -> Hashes:
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _nothing() -> Hashes:
    return np.empty(0, dtype=np.uint64)


def _holds(ordered: Hashes, number: int) -> bool:
    location = int(np.searchsorted(ordered, np.uint64(number)))
    return location < ordered.size and int(ordered[location]) == number
