"""The id of an image that only its file's name tells: one rule for files, lists, CSV and COCO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.filesystems.name_text import text_of_name
from finding_nemo.data.filesystems.tar import TAR_SUFFIXES
from finding_nemo.data.images.decode import IMAGE_SUFFIXES
from finding_nemo.data.images.video import VIDEO_SUFFIXES

# Formats of cameras that are not read. An annotation may name them and the images be converted.
_OTHER_IMAGE_SUFFIXES = frozenset(
    {".heic", ".heif", ".avif", ".jxl", ".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw"}
)
_STRIPPED = IMAGE_SUFFIXES | _OTHER_IMAGE_SUFFIXES | VIDEO_SUFFIXES | TAR_SUFFIXES
# So many times ids are made longer where two are alike; then every one is the whole name.
_ROUNDS = 6


def without_suffix(name: str) -> str:
    """Return `name` without a suffix that is known; `dive.2015.03.01` has none."""
    stem, dot, suffix = name.rpartition(".")
    is_known = bool(stem.rsplit("/", 1)[-1]) and f"{dot}{suffix}".lower() in _STRIPPED
    return stem if is_known else name


def id_of_file(name: str) -> str:
    """Return the id of an image whose file has this name: its stem, as text.

    Example:
        >>> id_of_file("cam1/i07.jpg"), id_of_file("dive.2015.03.01")
        ('i07', 'dive.2015.03.01')
    """
    last = slashed(name).rstrip("/").rsplit("/", 1)[-1]
    return text_of_name(without_suffix(last))


def ids_of_files(names: Sequence[str]) -> list[str]:
    """Return an id of its own for each of `names`, which differ.

    An id is the file's stem; where several files share one, their paths without suffix; where
    those are shared too (`a.jpg` and `a.png`), their paths as written.
    """
    forms = [_forms(name) for name in names]
    lengths = [0] * len(names)
    for _ in range(_ROUNDS):
        ids = [form[length] for form, length in zip(forms, lengths, strict=True)]
        counts = Counter(ids)
        shared = [n for n, found in enumerate(ids) if counts[found] > 1 and lengths[n] < 2]
        if not shared:
            return ids
        for n in shared:
            lengths[n] += 1
    return [form[-1] for form in forms]


def _forms(name: str) -> tuple[str, str, str]:
    path = PurePosixPath(slashed(name)).as_posix()
    return id_of_file(name), text_of_name(without_suffix(path)), text_of_name(name)
