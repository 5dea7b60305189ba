r"""Which file a path means that a person wrote: another system's spelling is understood.

What is there under the very name comes first. Only where nothing is, `\` is read as `/`, the
escapes of `text_of_name` are undone, and capitals and forms of accents (macOS takes an accent off
its letter) do not count, where they leave one file.
"""

from __future__ import annotations

import os
import unicodedata
from functools import lru_cache
from pathlib import Path, PurePosixPath

from finding_nemo.data.filesystems.name_text import name_of_text


def slashed(name: str) -> str:
    r"""Return `name` with Windows' `\` as `/`."""
    return name.replace("\\", "/")


def composed(name: str) -> str:
    """Return `name` with each accent on its letter, as Linux and Windows write it."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """Return `name` in the one form that it shares with all its spellings."""
    return composed(composed(name).casefold())


def spellings(name: str) -> list[str]:
    """Return the paths that a name may mean, the likeliest first; the first is as written."""
    forms = (name, slashed(name), name_of_text(name), name_of_text(slashed(name)))
    return [PurePosixPath(form).as_posix() for form in dict.fromkeys(forms)]


def file_of_name(name: str) -> str:
    """Return the path of the file that `name` means; `name` itself where none is found."""
    if _exists(name):
        return name
    forms = [form for form in spellings(name)[1:] if form.strip("/")]  # "\" is not the disk
    for form in forms:
        if _exists(form):
            return form
    for form in (name, *forms):
        found = _alike(form)
        if found is not None:
            return found
    return name


def _exists(name: str) -> bool:
    try:
        return os.path.lexists(name)
    except ValueError:  # a zero byte, or half a character
        return False


def _alike(name: str) -> str | None:
    """Return the one path that differs from `name` in capitals or forms of accents only."""
    path = Path(name)
    found = Path(path.anchor or ".")
    for part in path.parts[1:] if path.anchor else path.parts:
        named = part if _exists(str(found / part)) else _one_like(part, found)
        if named is None:
            return None
        found /= named
    return str(found)


def _one_like(name: str, folder: Path) -> str | None:
    try:
        others = _by_fold(folder, folder.stat().st_mtime_ns).get(folded(name), [])
    except (OSError, ValueError):
        return None
    same = [other for other in others if composed(other) == composed(name)]
    nearest = same or others
    return nearest[0] if len(nearest) == 1 else None


@lru_cache(maxsize=4)
def _by_fold(folder: Path, changed_ns: int) -> dict[str, list[str]]:
    """Return the names in a folder by their one form; listed once while it does not change."""
    del changed_ns
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        found.setdefault(folded(name), []).append(name)
    return found
