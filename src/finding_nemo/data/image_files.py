"""Where the image files of a data set are."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath

from finding_nemo.core.errors import AnnotationError
from finding_nemo.data.images import IMAGE_SUFFIXES


def check_file_name(file_name: str) -> str:
    """Return `file_name` if it stays inside the image folder.

    Raises:
        AnnotationError: If it is empty, absolute, or climbs with "..".
    """
    posix, windows = PurePosixPath(file_name), PureWindowsPath(file_name)
    if not file_name.strip() or "\0" in file_name:
        raise AnnotationError(f"file name {file_name!r} is empty or holds a zero byte")
    if posix.is_absolute() or windows.drive or windows.root:
        raise AnnotationError(
            f"file name {file_name!r} is absolute; write it relative to the image folder "
            "and name that folder with --images"
        )
    if ".." in posix.parts or ".." in windows.parts:
        raise AnnotationError(f"file name {file_name!r} leaves the image folder with '..'")
    return file_name


class ImageFolder:
    """Finds files by name, or by stem where the suffix differs (a .jpg for a .png)."""

    def __init__(self, root: Path) -> None:
        """Remember `root`; nothing is listed until a name is not found as written."""
        self.root = root
        self._by_stem: dict[str, str] | None = None

    def locate(self, file_name: str) -> Path:
        """Return where `file_name` is, or where it should be if it is absent."""
        return self._match(PurePosixPath(file_name).with_suffix("").as_posix()) or (
            self.root / file_name
        )

    def locate_id(self, image_id: str) -> Path:
        """Return the file of an image of which only the id is known."""
        return self._match(image_id) or self.root / f"{image_id}.png"

    def _match(self, stem: str) -> Path | None:
        if self._by_stem is None:
            self._by_stem = _list_images(self.root)
        found = self._by_stem.get(stem)
        return None if found is None else self.root / found


def _list_images(root: Path) -> dict[str, str]:
    """Return the image files below `root`, keyed by relative path without suffix."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in IMAGE_SUFFIXES:
                relative = Path(folder).relative_to(root)
                found.setdefault((relative / stem).as_posix(), (relative / name).as_posix())
    return found


def list_image_files(root: Path) -> list[Path]:
    """Return every image file below `root`, in order of path."""
    return [root / name for name in sorted(_list_images(root).values())]
