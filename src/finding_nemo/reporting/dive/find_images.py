"""Where the image of each frame is: in the folder that was named, or where the file says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from finding_nemo.core.errors import DatasetError
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.filesystems.filesystem import is_url
from finding_nemo.data.filesystems.image_names import without_suffix
from finding_nemo.data.filesystems.name_text import name_of_text
from finding_nemo.data.images.decode import IMAGE_SUFFIXES
from finding_nemo.data.images.video import VIDEO_SUFFIXES
from finding_nemo.reporting.dive.dive_frames import Frame

_WANTED = IMAGE_SUFFIXES | VIDEO_SUFFIXES


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


def find_images(frames: Sequence[Frame], folder: Path | None = None) -> FoundImages:
    """Return where each frame's file is.

    Args:
        frames: Their paths are as the predictions name them.
        folder: Where to look, with all folders in it: a file of that name counts; of several the
            one that shares most of the path. Default: where the path says, from here.

    Raises:
        DatasetError: If there is no such folder.
    """
    if folder is None:
        return FoundImages(tuple(_as_said(frame.path) for frame in frames), 0)
    if not folder.is_dir():
        raise DatasetError(f"--images {folder} is no folder. Name the folder of the image files.")
    by_name = _listed(folder)
    files, n_ambiguous = [], 0
    for frame in frames:
        file, is_ambiguous = _nearest(frame, by_name)
        n_ambiguous += is_ambiguous
        files.append(file)
    return FoundImages(tuple(files), n_ambiguous)


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


def _nearest(frame: Frame, by_name: dict[str, list[Path]]) -> tuple[Path | None, bool]:
    """Return the file of a frame, and whether several could be it."""
    # Of a tar's member ("tar://a/b.png::x.tar") the name is what counts.
    wanted = PurePosixPath(slashed(name_of_text(frame.path.split("::")[0])))
    for name in dict.fromkeys((wanted.name, without_suffix(wanted.name), frame.image_id)):
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
