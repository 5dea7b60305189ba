"""What a search for images came across and did not take, counted, with an example of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from finding_nemo.core.text.printable import printable

# Folders that programs make beside a person's own; those that begin with "." are hidden anyway.
_TOOL_FOLDERS = frozenset(
    {
        "@eadir",  # thumbnails of a Synology store
        "@recycle",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "__macosx",  # what macOS adds to archives
        "__pycache__",
    }
)
_KINDS_SHOWN = 8


def is_hidden(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, or a program's own.

    These are `.thumbnails`, `.Trash`, `.git`, `.ipynb_checkpoints`, macOS's `._a.jpg` and the
    like, and the folders of tools that have no dot.
    """
    return name.startswith(".") or name.lower() in _TOOL_FOLDERS


@dataclass
class _Tally:
    count: int = 0
    first: str = ""
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, example: str, kind: str = "") -> None:
        self.first = self.first or printable(example)
        self.count += 1
        self.kinds[kind] += 1

    def shown_kinds(self) -> str:
        ordered = sorted(self.kinds.items(), key=lambda item: (-item[1], item[0]))
        shown = [f"{printable(kind)} {count}" for kind, count in ordered[:_KINDS_SHOWN]]
        more = len(ordered) - len(shown)
        return ", ".join([*shown, f"{more} kinds more"] if more else shown)


class PassedOver:
    """Counts what is passed over, for one notice of each kind."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._files, self._hidden, self._folders = _Tally(), _Tally(), _Tally()
        self._videos, self._links, self._unlisted = _Tally(), _Tally(), _Tally()
        self._respelled, self._unended = _Tally(), _Tally()
        self._said: list[str] = []

    def file(self, path: str, suffix: str) -> None:
        """Count a file with the suffix of no image, tar or video."""
        self._files.add(path, suffix or "without suffix")

    def hidden_file(self, path: str) -> None:
        """Count a hidden file."""
        self._hidden.add(path)

    def folder(self, path: str) -> None:
        """Count a hidden folder, or a program's own."""
        self._folders.add(path, PurePosixPath(path).name)

    def video(self, path: str, suffix: str) -> None:
        """Count a video that nobody asked the frames of."""
        self._videos.add(path, suffix)

    def link(self, path: str) -> None:
        """Count a link to a folder that is, or will be, read in its own place."""
        self._links.add(path)

    def unlisted(self, path: str, reason: str) -> None:
        """Count a folder that cannot be listed."""
        self._unlisted.add(f"{path} {reason}")

    def unended(self, path: str) -> None:
        """Count a tar that lacks the mark of its end."""
        self._unended.add(path)

    def respelled(self, name: str, found: str) -> None:
        """Count a name under which nothing is, and the file that was taken for it."""
        self._respelled.add(f"{name}, found {found}")

    def interpreted(self, notices: Iterable[str]) -> None:
        """Keep what the reader of a data set says."""
        self._said += notices

    def sentences(self) -> list[str]:
        """Return what was passed over, a sentence for each kind that there was."""
        counted = [
            sentence.format(n=tally.count, kinds=tally.shown_kinds(), first=tally.first)
            for tally, sentence in (
                (self._files, "{n} files passed over: {kinds} (first: {first})."),
                (self._hidden, "{n} hidden files passed over (first: {first})."),
                (
                    self._folders,
                    "{n} hidden or tool folders passed over: {kinds} (first: {first}); name one "
                    "to read it.",
                ),
                (
                    self._videos,
                    "{n} videos passed over: {kinds} (first: {first}); add --every 1s to take "
                    "frames of them.",
                ),
                (
                    self._links,
                    "{n} links to folders passed over that lead round, or to a folder that is read "
                    "in its own place (first: {first}).",
                ),
                (
                    self._unended,
                    "{n} tars have no mark of their end and may have been cut off "
                    "(first: {first}).",
                ),
                (self._unlisted, "{n} folders could not be listed (first: {first})."),
                (
                    self._respelled,
                    "{n} names were found only under another spelling (first: {first}).",
                ),
            )
            if tally.count
        ]
        return [*self._said, *counted]
