"""What is to be fetched: every image that is wanted, what is here of it, and what it will take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import AddressError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.core.text.estimates import Estimate, size_in_words
from finding_nemo.core.text.printable import printable
from finding_nemo.fetching.fetched_list import (
    FETCHED_FILE,
    MISSING_FILE,
    STATE_FOLDER,
    FetchedImage,
    MissingImage,
)
from finding_nemo.fetching.transfer.addresses import checked_address

# Until so many of the very images are here, their size is guessed.
_ENOUGH_IMAGES = 20
_GUESSED_BYTES_A_PIXEL = {".jpg": 0.4, ".jpeg": 0.4, ".webp": 0.3, ".bmp": 3.0, ".tif": 3.0}
_OF_PNG = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedImage:
    """One image that is to be fetched.

    Attributes:
        image_id: Its id in the data set.
        path: Where it will be.
        file: The same below the folder, with "/".
        url: Its address as it is asked for.
        width: In px as recorded, if it is.
        height: In px as recorded, if it is.
    """

    image_id: str
    path: Path
    file: str
    url: str
    width: int | None = None
    height: int | None = None

    @property
    def n_pixels(self) -> int | None:
        """Its pixels as recorded."""
        return None if self.width is None or self.height is None else self.width * self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPlan:
    """What a fetch will do.

    Attributes:
        folder: Where the images go.
        here: Images that are here, as the journal knows them.
        unknown: Images that are here, of which the journal knows nothing: looked at, not fetched.
        wanted: Images to fetch.
        unusable: Images that cannot be asked for, and why.
        image_ids: The ids of all, in the order of the data set.
    """

    folder: Path
    here: tuple[FetchedImage, ...]
    unknown: tuple[WantedImage, ...]
    wanted: tuple[WantedImage, ...]
    unusable: tuple[MissingImage, ...]
    image_ids: tuple[str, ...]

    @property
    def n_images(self) -> int:
        """All images that were asked for."""
        return len(self.image_ids)


def plan_fetch(
    dataset: Dataset,
    folder: Path,
    *,
    known: Mapping[str, FetchedImage],
    image_ids: Iterable[str] | None = None,
    limit: int | None = None,
) -> FetchPlan:
    """Say what is to be done for a data set that was read with `folder` as its image folder.

    Args:
        dataset: The data set.
        folder: Where the images go.
        known: What the journal of the folder says, by file.
        image_ids: The images that are wanted; all without it.
        limit: The first so many of them.

    Raises:
        DatasetError: If the data set lacks one of `image_ids`.
    """
    chosen = dataset if image_ids is None else dataset.subset(image_ids)
    here, unknown, wanted, unusable = [], [], [], []
    inside = _Inside(folder)
    for record in chosen.records[:limit]:
        found = _planned(record, folder, inside, known)
        if isinstance(found, MissingImage):
            unusable.append(found)
        elif isinstance(found, FetchedImage):
            here.append(found)
        elif _is_there(found.path):
            unknown.append(found)
        elif not record.url:
            unusable.append(_missing(found, record, "the annotations give no address"))
        else:
            wanted.append(found)
    return FetchPlan(
        folder=folder,
        here=tuple(here),
        unknown=tuple(unknown),
        wanted=tuple(wanted),
        unusable=tuple(unusable),
        image_ids=tuple(record.image_id for record in chosen.records[:limit]),
    )


def _planned(
    record: ImageRecord, folder: Path, inside: _Inside, known: Mapping[str, FetchedImage]
) -> WantedImage | FetchedImage | MissingImage:
    # Every path begins with the folder as it is written, "." excepted, which no path keeps.
    file = str(record.path).removeprefix(f"{folder}{os.sep}").replace(os.sep, "/")
    image = WantedImage(
        image_id=record.image_id,
        path=record.path,
        file=file,
        url=record.url,
        width=record.width,
        height=record.height,
    )
    before = known.get(file)
    if before is not None and _size(record.path) == before.n_bytes:
        return before
    if file in (FETCHED_FILE, MISSING_FILE) or file.split("/")[0] == STATE_FOLDER:
        return _missing(image, record, "its file name is one that this program writes itself")
    if not inside.holds(record.path):
        return _missing(image, record, "its file name leads out of the folder by a link")
    if not record.url:
        return image
    try:
        url = checked_address(record.url)
    except AddressError as error:
        return image if _is_there(record.path) else _missing(image, record, str(error))
    return WantedImage(
        image_id=image.image_id,
        path=image.path,
        file=file,
        url=url,
        width=image.width,
        height=image.height,
    )


def _missing(image: WantedImage, record: ImageRecord, reason: str) -> MissingImage:
    return MissingImage(
        file=image.file, image_id=image.image_id, url=printable(record.url), reason=reason
    )


class _Inside:
    """Whether files lie in a folder, links followed; each of its folders is looked at once."""

    def __init__(self, folder: Path) -> None:
        self._root = Path(os.path.realpath(folder))
        self._known: dict[Path, bool] = {}

    def holds(self, path: Path) -> bool:
        parent = path.parent
        if parent not in self._known:
            self._known[parent] = Path(os.path.realpath(parent)).is_relative_to(self._root)
        return self._known[parent]


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _size(path: Path) -> int | None:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return None


def disk_needed(plan: FetchPlan) -> tuple[int | None, Estimate]:
    """Return how many bytes the images will take, and the same in words with its ground.

    Returns:
        The bytes are `None` where the annotations do not give the sizes of frames.
    """
    if not plan.wanted:
        return 0, Estimate("disk", "0 bytes", "nothing is to be fetched")
    sized = [image for image in plan.wanted if image.n_pixels is not None]
    if not sized:
        ground = "the annotations do not say how large the frames are"
        return None, Estimate("disk", "not known", ground)
    a_pixel, ground = _bytes_a_pixel(plan)
    n_bytes = sum(
        (image.n_pixels or 0) * (a_pixel or _guessed_bytes_a_pixel(image.url)) for image in sized
    )
    n_bytes *= len(plan.wanted) / len(sized)
    return round(n_bytes), Estimate("disk", size_in_words(n_bytes), ground)


def _bytes_a_pixel(plan: FetchPlan) -> tuple[float | None, str]:
    if len(plan.here) < _ENOUGH_IMAGES:
        return None, "a guess, from the recorded sizes at 1.5 bytes a pixel of PNG, 0.4 of JPEG"
    n_bytes = sum(image.n_bytes for image in plan.here)
    n_pixels = sum(image.width * image.height for image in plan.here)
    return n_bytes / n_pixels, f"from the {len(plan.here):,} images that are here already"


def _guessed_bytes_a_pixel(url: str) -> float:
    return _GUESSED_BYTES_A_PIXEL.get(os.path.splitext(url.lower())[1], _OF_PNG)
