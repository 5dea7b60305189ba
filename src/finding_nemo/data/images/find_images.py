"""Where the image of each frame is: in the folder that was named, or where the file says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import quote

from finding_nemo.core.errors import DatasetError
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.filesystems.filesystem import is_url
from finding_nemo.data.filesystems.image_names import without_suffix
from finding_nemo.data.filesystems.name_text import name_of_text
from finding_nemo.data.images.decode import IMAGE_SUFFIXES
from finding_nemo.data.images.video import VIDEO_SUFFIXES

_WANTED = IMAGE_SUFFIXES | VIDEO_SUFFIXES


class NamedFrame(Protocol):
    """A frame as a predictions file names it."""

    @property
    def image_id(self) -> str:
        """Its name in the results."""

    @property
    def path(self) -> str:
        """Its file as it was named then."""


@dataclass(frozen=True, slots=True)
class FoundImages:
    """Where the images are.

    Attributes:
        files: Of each frame the image or its video, `None` where it was not found.
        n_ambiguous: Frames that several files of the folder could be; none is taken.
    """

    files: tuple[Path | None, ...]
    n_ambiguous: int

    @property
    def n_missing(self) -> int:
        """Frames of which no file was found."""
        return sum(file is None for file in self.files)


def find_images(frames: Sequence[NamedFrame], folder: Path | None = None) -> FoundImages:
    """Return where each frame's file is.

    Args:
        frames: Their paths are as the predictions name them.
        folder: Where to look, with all folders in it: a file of that name counts; of several the
            one that shares most of the path. Default: where the path says, from here.

    Raises:
        DatasetError: If there is no such folder.
    """
    finder = ImageFinder(folder)
    files = tuple(finder.file_of(frame.path, frame.image_id) for frame in frames)
    return FoundImages(files, finder.n_ambiguous)


class ImageFinder:
    """Finds the files of frames, one after the other.

    Attributes:
        n_ambiguous: Frames so far that several files of the folder could be.
    """

    def __init__(self, folder: Path | None) -> None:
        """List the folder.

        Args:
            folder: As `find_images` takes it.

        Raises:
            DatasetError: If there is no such folder.
        """
        self.n_ambiguous = 0
        if folder is not None and not folder.is_dir():
            raise DatasetError(
                f"--images {folder} is no folder. Name the folder of the image files."
            )
        self._by_name = None if folder is None else _listed(folder)

    def file_of(self, path: str, image_id: str) -> Path | None:
        """Return the image of a frame or its video, `None` where it is not found."""
        if self._by_name is None:
            return _as_said(path)
        file, is_ambiguous = _nearest(path, image_id, self._by_name)
        self.n_ambiguous += is_ambiguous
        return file


def _as_said(path: str) -> Path | None:
    name = name_of_text(path)
    if is_url(name):
        return None
    try:
        return Path(name) if os.path.isfile(name) else None
    except ValueError:  # a zero byte
        return None


def _listed(folder: Path) -> dict[str, list[Path]]:
    """Return the images and videos below a folder by name, and by name without its suffix."""
    found: dict[str, list[Path]] = {}
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in _WANTED:
                found.setdefault(name, []).append(Path(place, name))
                found.setdefault(without_suffix(name), []).append(Path(place, name))
    return found


def _nearest(path: str, image_id: str, by_name: dict[str, list[Path]]) -> tuple[Path | None, bool]:
    """Return the file of a frame, and whether several could be it."""
    # Of a tar's member ("tar://a/b.png::x.tar") the name is what counts.
    wanted = PurePosixPath(slashed(name_of_text(path.split("::")[0])))
    for name in dict.fromkeys((wanted.name, without_suffix(wanted.name), image_id)):
        candidates = by_name.get(name, ())
        if candidates:
            shared = [_n_shared(file.parts, wanted.parts) for file in candidates]
            best = [
                file for file, count in zip(candidates, shared, strict=True) if count == max(shared)
            ]
            return (best[0], False) if len(best) == 1 else (None, True)
    return None, False


def _n_shared(first: Sequence[str], second: Sequence[str]) -> int:
    count = 0
    for a, b in zip(reversed(first), reversed(second), strict=False):
        if a != b:
            break
        count += 1
    return count


def links(files: Iterable[Path | None], page: Path) -> list[str]:
    """Return an address of each file, relative to the page, that a browser opens; "" for none."""
    folder = os.path.abspath(page.parent)
    return ["" if file is None else _link(file, folder) for file in files]


def _link(file: Path, folder: str) -> str:
    absolute = os.path.abspath(file)
    try:
        relative = os.path.relpath(absolute, folder)
    except ValueError:  # another drive of Windows
        return Path(absolute).as_uri()
    path = os.fsencode(relative.replace(os.sep, "/"))
    return f"./{quote(path)}"
