"""What a file of any annotation tool says of one frame, before names become numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from finding_nemo.data.datasets.fields.path_spelling import slashed


class Sides(NamedTuple):
    """A box in pixels of the frame, from its top left corner."""

    x_px: float
    y_px: float
    width_px: float
    height_px: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLabel:
    """One name that a person or a machine gave to a frame or to a part of it.

    Attributes:
        name: As the file has it, without surrounding blanks.
        sides: Where in the frame; `None` for a label of the whole frame, a point or a line.
        by_machine: Whether a machine gave it and no person has confirmed it.
        supercategory: The group that the file puts the name in, "" where it names none.
    """

    name: str
    sides: Sides | None = None
    by_machine: bool = False
    supercategory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlace:
    """Where a frame was filmed, as far as its file says it.

    Attributes:
        depth_m: Metres below the surface, 0 or more.
        latitude: In degrees, north positive.
        longitude: In degrees, east positive.
    """

    depth_m: float | None = None
    latitude: float | None = None
    longitude: float | None = None


UNKNOWN_PLACE = FramePlace()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedFrame:
    """One frame with what is known of it.

    Attributes:
        where: Its place in the file, for messages.
        file_names: What its file may be called below the image folder; the first that is there
            counts, and the last where none is.
        labels: All of them, of people and machines.
        is_viewed: Whether the file says that a person looked at it, even if nobody gave a label.
        width: In px, if known.
        height: In px, if known.
        url: Where it can be fetched, "" if nothing says it.
        captured: When it was filmed, as written.
        dive: Its dive, if the file says it.
        vehicle: What filmed it, if the file says it.
        place: Where it was filmed.
    """

    where: str
    file_names: tuple[str, ...]
    labels: tuple[FrameLabel, ...] = ()
    is_viewed: bool = False
    width: int | None = None
    height: int | None = None
    url: str = ""
    captured: str | None = None
    dive: str | None = None
    vehicle: str | None = None
    place: FramePlace = UNKNOWN_PLACE

    @property
    def is_annotated(self) -> bool:
        """Whether a person said what is in it."""
        return self.is_viewed or any(not label.by_machine for label in self.labels)


def names_of_addresses(addresses: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what the file of each address may be called below an image folder.

    The longest path comes first, so that a folder that keeps the server's order is understood;
    the last is the file's own name, or the whole path where several addresses share that name.

    Args:
        addresses: Each different image once; such as "https://h/a/b.png" or "s3://bucket/b.png".
    """
    paths = [_path_of(address) for address in addresses]
    found: dict[str, set[str]] = {}
    for path in paths:
        found.setdefault(path.rsplit("/", 1)[-1], set()).add(path)
    names = []
    for path in paths:
        parts = path.split("/")
        tails = ["/".join(parts[start:]) for start in range(len(parts))]
        is_shared = len(found[parts[-1]]) > 1
        # Without a file's own name, tails that end in nothing are no names either.
        kept = [tail for tail in tails if tail.strip("/")] or [path]
        names.append((*kept[:-1], kept[0] if is_shared else kept[-1]))
    return names


def _path_of(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    if not separator:
        return slashed(scheme)
    rest = rest.partition("#")[0].partition("?")[0]
    path = slashed(unquote(rest.partition("/")[2]))
    return "/".join(part for part in PurePosixPath(path).parts if part not in ("/", "..")) or rest
