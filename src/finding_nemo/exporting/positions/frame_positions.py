"""The position of each frame from all that says one, and how many frames nothing says it of."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

from finding_nemo.core.errors import DatasetError
from finding_nemo.exporting.export_frame import NOWHERE, FramePosition
from finding_nemo.exporting.positions.exif_position import read_exif_position
from finding_nemo.exporting.positions.navigation_file import (
    NavigationFile,
    read_navigation,
)
from finding_nemo.exporting.positions.track import position_at
from finding_nemo.fetching.fetched_list import FETCHED_FILE

T = TypeVar("T")
MAX_GAP_S = 60.0


@dataclass(frozen=True, kw_only=True)
class PositionSources:
    """What may say where a frame was filmed, in the order in which it is asked.

    Attributes:
        files: Navigation and iFDO files, in the order given, then the list of fetched images.
        images: The folder of the images, to read their headers; `None` where it is not known.
        max_gap_s: Entries of a track further apart say nothing of what is between.
        clock_offset_s: Added to a frame's time before it is looked up in a track.
        reads_headers: Whether pictures are opened for their headers.
        counts: How many frames each source placed, filled as frames are asked for.
    """

    files: tuple[NavigationFile, ...] = ()
    images: Path | None = None
    max_gap_s: float = MAX_GAP_S
    clock_offset_s: float = 0.0
    reads_headers: bool = True
    counts: Counter[str] = field(default_factory=Counter)

    def place(
        self, path: str, names: Sequence[str], captured: datetime | None
    ) -> tuple[FramePosition, datetime | None]:
        """Return where and when a frame was filmed; each fact from the first that says it.

        Args:
            path: The file as the predictions name it.
            names: What tables may call it, the most exact first.
            captured: When, as far as the predictions say it.
        """
        found, moment = NOWHERE, captured
        for source in self.files:
            moment = _better_moment(moment, _first_of(source.moments, names))
            found = _completed(found, _first_of(source.by_file, names))
        if self.reads_headers and (not found.is_on_map or moment is None):
            position, taken = self._of_header(path, names)
            moment = _better_moment(moment, taken)
            found = _completed(found, position)
        for source in self.files:
            if source.track is not None and moment is not None and moment.time() != time.min:
                at = moment + timedelta(seconds=self.clock_offset_s)
                found = _completed(found, position_at(source.track, at, max_gap_s=self.max_gap_s))
        self.counts[found.source or "nothing"] += 1
        return found, moment

    def _of_header(self, path: str, names: Sequence[str]) -> tuple[FramePosition, datetime | None]:
        below = [] if self.images is None else [self.images / name for name in names]
        candidates = [*below, Path(path)]
        for candidate in candidates:
            if os.path.isfile(candidate):  # Path.is_file raises where a name is too long
                return read_exif_position(candidate)
        return NOWHERE, None


def _first_of(held: Mapping[str, T], names: Sequence[str]) -> T | None:
    return next((held[name] for name in names if name in held), None)


def _better_moment(known: datetime | None, other: datetime | None) -> datetime | None:
    """Return a moment with its time of day, if either has one."""
    if other is None or (known is not None and known.time() != time.min):
        return known
    return other


def _completed(known: FramePosition, other: FramePosition | None) -> FramePosition:
    """Return what is known, with what only the other says."""
    if other is None:
        return known
    values = {
        name: getattr(other, name)
        for name in ("depth_m", "height_m")
        if getattr(known, name) is None and getattr(other, name) is not None
    }
    if not known.is_on_map and other.is_on_map:
        values |= {name: getattr(other, name) for name in ("latitude", "longitude")}
        values["uncertainty_m"] = other.uncertainty_m
    if not values:
        return known
    sources = dict.fromkeys(name for name in (known.source, other.source) if name)
    return replace(known, **values, source=", ".join(sources))


def read_position_sources(
    navigation: Sequence[Path],
    *,
    images: Path | None = None,
    max_gap_s: float = MAX_GAP_S,
    clock_offset_s: float = 0.0,
    reads_headers: bool = True,
) -> PositionSources:
    """Read all files that may say where frames were filmed.

    The list that `fetch` leaves in the folder of the images is read by itself.

    Raises:
        DatasetError: If one cannot be used.
    """
    files = [read_navigation(path) for path in navigation]
    fetched = None if images is None else images / FETCHED_FILE
    if fetched is not None and fetched.is_file():
        try:
            files.append(replace(read_navigation(fetched), is_named=False))
        except DatasetError as error:
            raise DatasetError(f"{error} It is the list of a fetch: fetch again.") from None
    return PositionSources(
        files=tuple(files),
        images=images,
        max_gap_s=max_gap_s,
        clock_offset_s=clock_offset_s,
        reads_headers=reads_headers,
    )
