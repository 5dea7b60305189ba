"""Where the image files of a data set are."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.text.printable import printable
from finding_nemo.data.datasets.fields.path_spelling import composed, folded, spellings
from finding_nemo.data.filesystems.image_names import without_suffix
from finding_nemo.data.filesystems.name_text import is_file_name, name_of_text
from finding_nemo.data.images.decode import IMAGE_SUFFIXES


def check_file_name(file_name: str) -> str:
    """Return `file_name` if it stays inside the image folder.

    Raises:
        AnnotationError: If it is empty, absolute, climbs with "..", or is no name of a file.
    """
    posix, windows = PurePosixPath(file_name), PureWindowsPath(file_name)
    if not file_name.strip() or "\0" in file_name:
        raise AnnotationError(f"file name {file_name!r} is empty or holds a zero byte")
    if not is_file_name(file_name):
        raise AnnotationError(f"file name {file_name!r} holds half a character (a lone surrogate)")
    if posix.is_absolute() or windows.drive or windows.root:
        raise AnnotationError(
            f"file name {file_name!r} is absolute; write it relative to the image folder "
            "and name that folder with --images"
        )
    if ".." in posix.parts or ".." in windows.parts:
        raise AnnotationError(f"file name {file_name!r} leaves the image folder with '..'")
    return file_name


class ImageFolder:
    r"""Finds files by the names that annotations give them.

    The file of exactly that name comes first. Where there is none, `\` is read as `/`; then a
    file counts whose name differs in capitals or in the form of its accents only, or in the
    suffix (a .jpg for a .png), if there is one such file and no annotation names it itself.
    """

    def __init__(self, root: Path, named: Iterable[str] = ()) -> None:
        """Remember `root`; a folder is listed when a name in it is looked for.

        Args:
            root: The image folder.
            named: All names that will be looked for: a file that one of them names is not given
                to another.
        """
        self.root = root
        self._named = {path for name in named for path in spellings(name)}
        self._listings: dict[str, _Listing] = {}
        self._told = {kind: _Told() for kind in _KINDS}

    def locate(self, file_name: str) -> Path:
        """Return where `file_name` is, or where it should be if it is absent."""
        forms = spellings(file_name)
        for name in forms:
            if self._holds(name):
                return self.root / name
        for name in forms:
            found = self._alike(file_name, name)
            if found is not None:
                return self.root / found
        return self.root / file_name

    def locate_id(self, image_id: str) -> Path:
        """Return the file of an image of which only the id is known."""
        for name in spellings(image_id):
            for path in (name, f"{name}.png"):
                if self._holds(path):
                    return self.root / path
            found = self._alike(image_id, name, suffix_known=False)
            if found is not None:
                return self.root / found
        return self.root / f"{name_of_text(image_id)}.png"

    def notices(self) -> tuple[str, ...]:
        """Return what should be known of names that were not found as written, in sentences."""
        return tuple(
            f"{noted.count} images {words} (first: {noted.first})."
            for words, noted in ((_KINDS[kind], noted) for kind, noted in self._told.items())
            if noted.count
        )

    def _holds(self, name: str) -> bool:
        path = PurePosixPath(name)
        listing = self._listing(path.parent.as_posix())
        if listing.is_whole:
            return path.name in listing.files
        return os.path.lexists(self.root / path) and not os.path.isdir(self.root / path)

    def _alike(self, wanted: str, name: str, *, suffix_known: bool = True) -> str | None:
        """Return the one file that `name` may mean though it is spelled otherwise."""
        path = PurePosixPath(name)
        folder = self._folder(path.parent)
        if folder is None:
            return None
        listing = self._listing(folder)
        kind, found = listing.nearest(path.name)
        found = [other for other in found if self._joined(folder, other) not in self._named]
        if len(found) > 1:
            shown = ", ".join(sorted(found)[:3])
            self._told["several"].add(f"{wanted}; there are {shown}")
            return None
        if not found:
            return None
        position = self._joined(folder, found[0])
        if kind != "suffix" or suffix_known:
            self._told[kind].add(f"{wanted}, found {position}")
        return position

    def _folder(self, path: PurePosixPath) -> str | None:
        """Return the folder below the root that `path` means, if there is one."""
        folder = "."
        for part in path.parts:
            listing = self._listing(folder)
            named = [part] if part in listing.folders else listing.folders_like(part)
            if len(named) != 1:
                return None
            folder = self._joined(folder, named[0])
        return folder

    @staticmethod
    def _joined(folder: str, name: str) -> str:
        return name if folder == "." else f"{folder}/{name}"

    def _listing(self, folder: str) -> _Listing:
        found = self._listings.get(folder)
        if found is None:
            found = self._listings[folder] = _list(self.root / folder)
        return found


# What differs in a name that was found, or why it was not.
_KINDS = {
    "form": "are there under a name with other capitals or another form of accents",
    "suffix": "are not there with the suffix given and are read with another",
    "several": "are absent, and several files could be meant, so none is taken",
}


@dataclass
class _Told:
    count: int = 0
    first: str = ""

    def add(self, example: str) -> None:
        self.first = self.first or printable(example)
        self.count += 1


@dataclass
class _Listing:
    """The names in one folder; `is_whole` is false where it could not be listed."""

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    is_whole: bool = True

    def nearest(self, name: str) -> tuple[str, list[str]]:
        """Return the files that come nearest to `name`, and in what they differ from it."""
        alike = self._by_fold.get(folded(name), [])
        same = [other for other in alike if composed(other) == composed(name)]
        if same or alike:
            return "form", same or alike
        stem = without_suffix(name)
        alike = self._by_stem.get(folded(stem), [])
        return "suffix", [other for other in alike if without_suffix(other) == stem] or alike

    @cached_property
    def _by_fold(self) -> dict[str, list[str]]:
        return _grouped((folded(name), name) for name in self.files)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        images = [name for name in self.files if _suffix(name) in IMAGE_SUFFIXES]
        return _grouped((folded(without_suffix(name)), name) for name in images)

    def folders_like(self, name: str) -> list[str]:
        """Return the folders whose name differs from `name` in capitals or accents only."""
        return self._folders_by_fold.get(folded(name), [])

    @cached_property
    def _folders_by_fold(self) -> dict[str, list[str]]:
        return _grouped((folded(name), name) for name in self.folders)


def _list(folder: Path) -> _Listing:
    found = _Listing()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (found.folders if _is_folder(entry) else found.files).add(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return _Listing()
    except OSError:
        return _Listing(is_whole=False)
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round
        return False


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return found


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()
