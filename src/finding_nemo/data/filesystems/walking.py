"""Every file below a folder, or those that a pattern names: in order, each folder once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from finding_nemo.core.errors import ImageError
from finding_nemo.data.filesystems.filesystem import (
    Folder,
    file_system_of,
    is_url,
    is_web,
    joined,
    path_part,
)
from finding_nemo.data.filesystems.passed_over import PassedOver, is_hidden

_MAGIC = frozenset("*?[")
_ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found.

    Attributes:
        path: Where it is.
        fault: Why it can be no image, where its folder says so already.
    """

    path: str
    fault: str | None = None


def has_wildcard(name: str) -> bool:
    """Return whether `name` is a pattern with `*`, `?` or `[`.

    In an address of the web only `*` in its path is one, as an index page can be matched: `?`
    begins its query, where a signature may hold any character, and `[` stands in IPv6 hosts.
    """
    if is_web(name):
        return path_part(name) == name and "*" in name
    return not _MAGIC.isdisjoint(name)


def walk(folder: str, passed: PassedOver) -> Iterator[Found]:
    """Yield every file below `folder`, in order of path, one folder in memory at a time.

    Hidden folders, and those of tools, are passed over and counted.
    """
    yield from _Search([_ANY_DEPTH, "*"], passed, folder).found()


def matching(pattern: str, passed: PassedOver) -> Iterator[Found]:
    """Yield the files that `pattern` names, in order; `**` stands for folders at any depth."""
    parts = pattern.split("/")
    if is_web(pattern):
        parts = [part.replace("[", "[[]").replace("?", "[?]") for part in parts]
        first = next(position for position, part in enumerate(parts) if "*" in part)
    else:
        first = next(position for position, part in enumerate(parts) if has_wildcard(part))
    folder = "/".join(pattern.split("/")[:first]) or ("/" if pattern.startswith("/") else "")
    if is_url(pattern) and first < 3:
        folder = f"{pattern.partition('://')[0]}://"
        first = 2
    yield from _Search(_simplified(parts[first:]), passed, folder, files_first=True).found()


def _simplified(parts: list[str]) -> list[str]:
    """Return the parts without empty ones and `**` repeated; a last `**` or "/" means all below."""
    if not parts[-1]:
        parts = [*parts, _ANY_DEPTH]
    kept: list[str] = []
    for part in parts:
        if part not in ("", ".") and not (part == _ANY_DEPTH and kept[-1:] == [_ANY_DEPTH]):
            kept.append(part)
    return [*kept, "*"] if kept[-1:] == [_ANY_DEPTH] else kept


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder to list: where it is, which parts of the pattern may come next, and its way."""

    path: str
    states: frozenset[int]
    by_link: bool = False


@dataclass
class _Search:
    """One search; `states` are the parts of the pattern that a name in a folder may match."""

    parts: list[str]
    passed: PassedOver
    root: str
    files_first: bool = False
    _read: set[tuple[int, int]] = field(default_factory=set)

    def found(self) -> Iterator[Found]:
        """Yield the files, without recursion: a folder may be a thousand deep."""
        stack = [self._entries(_Place(self.root, self._closed({0})))]
        while stack:
            entry = next(stack[-1], None)
            if entry is None:
                stack.pop()
            elif isinstance(entry, Found):
                yield entry
            else:
                stack.append(self._entries(entry))

    def _closed(self, states: set[int]) -> frozenset[int]:
        """Add what follows each `**`, which may stand for no folder at all."""
        return frozenset(states | {s + 1 for s in states if self.parts[s] == _ANY_DEPTH})

    def _entries(self, position: _Place) -> Iterator[Found | _Place]:
        if position.by_link and not self._is_new(position.path):
            self.passed.link(position.path)
            return
        try:
            listed = file_system_of(position.path).listed(position.path)
        except ImageError as error:
            self.passed.unlisted(position.path or ".", str(error))
            return
        # With "/" behind a folder's name, the order is that of the whole paths.
        folders = [f"{name}/" for name in listed.folders]
        names = [*listed.files, *folders] if self.files_first else sorted([*listed.files, *folders])
        for name in names:
            if name.endswith("/"):
                child = self._child(position, name[:-1], listed)
                if child is not None:
                    yield child
            elif self._is_named(position, name):
                yield Found(joined(position.path, name), listed.faults.get(name))

    def _is_named(self, position: _Place, name: str) -> bool:
        last = len(self.parts) - 1
        if last not in position.states or not fnmatchcase(name, self.parts[last]):
            return False
        if is_hidden(name) and not _names_hidden(self.parts[last], name):
            self.passed.hidden_file(joined(position.path, name))
            return False
        return True

    def _child(self, position: _Place, name: str, listed: Folder) -> _Place | None:
        """Return the folder `name` to be searched next, or `None` if it is not."""
        path = joined(position.path, name)
        deep = {s for s in position.states if self.parts[s] == _ANY_DEPTH}
        named = {
            s + 1
            for s in position.states - deep
            if s + 1 < len(self.parts) and fnmatchcase(name, self.parts[s])
        }
        if is_hidden(name):
            kept = {s for s in named if _names_hidden(self.parts[s - 1], name)}
            if (deep or named) and not kept:
                self.passed.folder(path)
            deep, named = set(), kept
        is_link = name in listed.links
        if deep and is_link and not self._leads_out(path):
            deep = set()
            if not named:
                self.passed.link(path)
        if not deep | named:
            return None
        return _Place(
            path, self._closed(deep | named), position.by_link or (is_link and bool(deep))
        )

    def _leads_out(self, path: str) -> bool:
        """Return whether a link leads to a folder that is not read in its own place."""
        try:
            target, root = os.path.realpath(path), os.path.realpath(self.root or ".")
        except OSError:  # it is gone by now
            return False
        if _holds(target, root):
            return False
        inside = os.path.relpath(target, root) if _holds(root, target) else None
        return inside is None or any(is_hidden(part) for part in inside.split(os.sep))

    def _is_new(self, path: str) -> bool:
        """Note a folder that a link led to; return whether it was not read before."""
        try:
            found = os.stat(path)
        except OSError:
            return True
        key = (found.st_dev, found.st_ino)
        is_new = key not in self._read
        self._read.add(key)
        return is_new


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _names_hidden(part: str, name: str) -> bool:
    """Return whether a part of a pattern means a hidden name on purpose."""
    return part == name or (part.startswith(".") and name.startswith("."))
