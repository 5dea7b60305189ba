"""A zip of the FathomNet 2023 competition, as Kaggle gives it, without unpacking it first."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from finding_nemo.core.errors import (
    AnnotationError,
    DatasetError,
    DatasetNotFoundError,
    FindingNemoError,
)
from finding_nemo.core.files.atomic_files import raise_no_space
from finding_nemo.core.files.input_limits import USUAL_LIMITS
from finding_nemo.core.files.text_files import open_regular
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import quoted
from finding_nemo.data.datasets.fathomnet2023 import read_competition_folder
from finding_nemo.data.images.decode import IMAGE_SUFFIXES

_KEY = "category_key.csv"
# Larger ones are no annotations of this competition; all together count, too.
_MEMBERS = (
    _KEY,
    "multilabel_classification/train.csv",
    "object_detection/train.json",
    "object_detection/eval.json",
)
_CHUNK = 1 << 20
# What Python's reader raises of damaged files; an OSError of seeking to where no byte is.
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError)


def read_competition_zip(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read the zip as `read_competition_folder` reads the folder that it holds.

    Its annotation files are unpacked into a temporary folder, by their known names only. Images lie
    in `images`, or in `images/` beside the zip.

    Raises:
        DatasetNotFoundError: If it holds no `category_key.csv` or no list of images.
        AnnotationError: If it is damaged or locked, unpacks to more than is read, or an annotation
            file in it cannot be read.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        notices = _unpack(path, folder)
        try:
            found = read_competition_folder(
                folder, images=images or path.parent / "images", pattern=pattern
            )
        except DatasetError as error:
            # A person knows the zip, not the temporary folder.
            raise type(error)(str(error).replace(str(folder), str(path))) from None
    return replace(found, root=path.parent, notices=(*found.notices, *notices))


def _unpack(path: Path, folder: Path) -> tuple[str, ...]:
    try:
        with (
            open_regular(path, refusal=AnnotationError) as file,
            zipfile.ZipFile(file) as archive,
        ):
            members = _members(archive, path)
            left = USUAL_LIMITS.max_text_bytes
            for target, member in members.items():
                left -= _unpack_one(archive, member, folder / target, left)
                if left < 0:
                    raise AnnotationError(
                        f"{path} unpacks to more than the {USUAL_LIMITS.max_text_bytes / 1e6:.0f} "
                        "MB of annotations that are read."
                    )
            return _notices(archive)
    except _FAULTS as error:
        if isinstance(error, FindingNemoError):
            raise
        reason = str(error) or type(error).__name__
        raise AnnotationError(
            f"{path} cannot be read as a zip ({quoted(reason, 120)}). Download it again, or unpack "
            "it yourself and name the folder."
        ) from None


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the annotation files by their place in the competition's folder."""
    names = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    keys = [name for name in names if PurePosixPath(name).name == _KEY]
    if not keys:
        raise DatasetNotFoundError(
            f"{path} is no zip of the FathomNet 2023 competition: it holds no {_KEY}. Unpack it, "
            "and name the folder or annotation file that you want."
        )
    prefix = min(keys, key=len).removesuffix(_KEY)
    return {name: names[prefix + name] for name in _MEMBERS if prefix + name in names}


def _unpack_one(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, max_bytes: int
) -> int:
    """Write a member, one byte more than `max_bytes` at most, and return how many bytes it has."""
    target.parent.mkdir(parents=True, exist_ok=True)
    n_bytes = 0
    with raise_no_space(target), archive.open(member) as source, target.open("wb") as file:
        while n_bytes <= max_bytes and (chunk := source.read(min(_CHUNK, max_bytes + 1 - n_bytes))):
            n_bytes += file.write(chunk)
    return n_bytes


def _notices(archive: zipfile.ZipFile) -> tuple[str, ...]:
    images = [
        name for name in archive.namelist() if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
    ]
    if not images:
        return ()
    return (
        f"The zip holds {len(images):,} images (first: {quoted(images[0])}), which are not read "
        "out of it: unpack it, and name their folder with --images.",
    )
