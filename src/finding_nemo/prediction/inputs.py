"""What a person names on the command line into a stream of images to predict, in order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from finding_nemo.core.errors import DatasetError, DatasetNotFoundError, ImageError, SettingsError
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.records import ImageRecord
from finding_nemo.core.text_files import text_lines
from finding_nemo.data.competition_folder import is_competition_folder
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.images import IMAGE_SUFFIXES
from finding_nemo.data.places import files_of, has_wildcard, is_url, matching, read_file, walk
from finding_nemo.data.record_fields import record_of_path
from finding_nemo.data.splits.file import read_split
from finding_nemo.data.tar_files import (
    PACKED_TAR_SUFFIXES,
    TAR_SUFFIXES,
    image_members,
    member_path,
)
from finding_nemo.data.video import VIDEO_SUFFIXES, frame_times
from finding_nemo.prediction.image_ids import IdResolver

STDIN = "-"
LIST_SUFFIXES = frozenset({".txt", ".lst"})
_DATASET_SUFFIXES = frozenset({".json", ".csv"})
_DEFAULT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One image to predict.

    Attributes:
        image_id: Its name in the results, unique in a run.
        path: The file or URL; `tar://MEMBER::TAR` in a tar; the video of a frame.
        record: What is known of it without opening it: dive, time, frame number.
        position: Where it begins in its tar, or which frame of its video it is.
        size: Its bytes in its tar.
        time_s: Seconds since its video's first frame.
        failure: Why it cannot be used, where that is known before it is opened.
    """

    image_id: str
    path: str
    record: ImageRecord
    position: int | None = None
    size: int | None = None
    time_s: float | None = None
    failure: str | None = None

    @property
    def place(self) -> str:
        """Where the image is: its path, and its time in a video."""
        return place_of(self.path, self.time_s)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images are meant by names on the command line.

    Attributes:
        names: As typed: files, URLs, folders, patterns, lists (`-` for one on stdin), tars,
            videos, data sets.
        images: Image folder of a data set, where it is not the usual one.
        dive_pattern: Where to find the dive in a path or URL.
        origin: Keep only a data set's images of this annotation file ("train", "eval").
        split: A split file; with `part`, only that part's images are kept.
        part: The part.
        every_s: Seconds between the frames taken of a video; `None`: 1 s, and videos in folders
            are passed over.
        stdin: The file that stands for `-`.
    """

    names: tuple[str, ...]
    images: Path | None = None
    dive_pattern: str | None = None
    origin: str | None = None
    split: Path | None = None
    part: str | None = None
    every_s: float | None = None
    stdin: Path | None = None

    def stream(self) -> Iterator[ImageInput]:
        """Yield the images in the order given; ids may still repeat.

        An image file that is absent is in the stream: it becomes a row with a failure.

        Raises:
            DatasetNotFoundError: If a folder, list or data set does not exist.
            DatasetError: If there is no image at all.
        """
        kept = self._kept_ids()
        n_found = 0
        for image in chain.from_iterable(map(self._expand, self.names)):
            if self.origin is not None and image.record.origin != self.origin:
                continue
            if kept is None or image.image_id in kept:
                n_found += 1
                yield image
        if not n_found:
            raise self._nothing_found()

    def request(self) -> dict[str, Any]:
        """Return what tells this selection from another, as JSON-ready values.

        Lists and split files count by their bytes. What a folder, pattern, tar or video holds is
        not looked at.
        """
        texts = [name for name in self.names if _suffix(name) in LIST_SUFFIXES]
        values: dict[str, Any] = {
            "names": list(self.names),
            "lists": {name: _hash_of(name) for name in texts},
            "images": str(self.images or ""),
            "dive_pattern": self.dive_pattern,
            "origin": self.origin,
            "split": hash_file(self.split) if self.split and self.split.is_file() else None,
            "part": self.part,
            "every_s": self.every_s,
        }
        if self.stdin is not None:
            values["lists"][STDIN] = hash_file(self.stdin)
        return values

    def _kept_ids(self) -> frozenset[str] | None:
        if self.split is None or self.part is None:
            return None
        return frozenset(read_split(self.split).ids_in(self.part))

    def _nothing_found(self) -> DatasetError:
        """Return the error for a selection that holds no image at all."""
        narrowed = "".join(
            f" ({name} {value})"
            for name, value in (("origin", self.origin), ("part", self.part))
            if value
        )
        return DatasetError(f"No image to predict in {', '.join(self.names)}{narrowed}.")

    def _expand(self, name: str) -> Iterator[ImageInput]:
        suffix = _suffix(name)
        if name == STDIN:
            yield from self._listed(str(self.stdin or "/dev/stdin"))
        elif has_wildcard(name) and (is_url(name) or not os.path.exists(name)):
            yield from self._files(matching(name))
        elif not is_url(name) and self._is_dataset(Path(name)):
            found = read_dataset(Path(name), images=self.images, dive_pattern=self.dive_pattern)
            yield from (input_of_record(record) for record in found.records)
        elif suffix in LIST_SUFFIXES and (is_url(name) or os.path.isfile(name)):
            yield from self._listed(name)
        elif suffix in IMAGE_SUFFIXES | TAR_SUFFIXES | VIDEO_SUFFIXES and not os.path.isdir(name):
            yield from self._file(name)
        elif files_of(name).is_folder(name):
            yield from self._files(walk(name))
        elif name.endswith(PACKED_TAR_SUFFIXES):
            raise DatasetError(f"{name} is a packed tar, which cannot be read from the middle.")
        elif os.path.isfile(name):
            yield from self._file(name)
        else:
            raise DatasetNotFoundError(
                f"{name} does not exist. Name image files, folders, lists, tars or data sets."
            )

    @staticmethod
    def _is_dataset(path: Path) -> bool:
        is_table = path.suffix.lower() in _DATASET_SUFFIXES and path.is_file()
        return is_competition_folder(path) or is_table

    def _files(self, paths: Iterator[str]) -> Iterator[ImageInput]:
        """Expand what a folder or pattern holds, passing over what is no image."""
        taken = IMAGE_SUFFIXES | TAR_SUFFIXES | (VIDEO_SUFFIXES if self.every_s else frozenset())
        for path in paths:
            if _suffix(path) in taken:
                yield from self._file(path)

    def _listed(self, name: str) -> Iterator[ImageInput]:
        with files_of(name).open(name) as stream:
            for line in text_lines(stream, name, refusal=DatasetError):
                path = line.strip()
                if path:
                    yield from self._file(path)

    def _file(self, path: str) -> Iterator[ImageInput]:
        suffix = _suffix(path)
        if suffix in TAR_SUFFIXES:
            yield from self._of_tar(path)
        elif suffix in VIDEO_SUFFIXES:
            yield from self._of_video(path)
        else:
            shown = path if is_url(path) else str(Path(path))
            record = record_of_path(Path(path), self.dive_pattern)
            yield ImageInput(record.image_id, shown, record)

    def _of_tar(self, path: str) -> Iterator[ImageInput]:
        try:
            for member in image_members(path):
                record = record_of_path(Path(path) / member.name, self.dive_pattern)
                yield ImageInput(
                    image_id=record.image_id,
                    path=member_path(path, member.name),
                    record=record,
                    position=member.start,
                    size=member.size,
                )
        except ImageError as error:
            yield self._failed(path, error)

    def _of_video(self, path: str) -> Iterator[ImageInput]:
        record = record_of_path(Path(path), self.dive_pattern)
        try:
            for frame in frame_times(path, self.every_s or _DEFAULT_EVERY_S):
                yield ImageInput(
                    image_id=f"{record.image_id}@{_clock(frame.time_s)}",
                    path=path,
                    record=record,
                    position=frame.position,
                    time_s=frame.time_s,
                )
        except ImageError as error:
            yield self._failed(path, error)

    def _failed(self, path: str, error: ImageError) -> ImageInput:
        record = record_of_path(Path(path), self.dive_pattern)
        return ImageInput(record.image_id, path, record, failure=str(error))


def collect_images(
    names: Sequence[str],
    *,
    images: Path | None = None,
    dive_pattern: str | None = None,
    origin: str | None = None,
    split: Path | None = None,
    part: str | None = None,
) -> list[ImageInput]:
    """Return the images that `names` stand for, in the order given, all in memory.

    See `Selection` for the arguments.

    Raises:
        DatasetNotFoundError: If a folder, list or data set does not exist.
        DatasetError: If there is no image at all.
    """
    selection = Selection(
        tuple(names),
        images=images,
        dive_pattern=dive_pattern,
        origin=origin,
        split=split,
        part=part,
    )
    found = list(selection.stream())
    resolver = IdResolver()
    for image in found:
        resolver.see(image.image_id, image.place)
    resolver.close()
    return [replace(i, image_id=resolver.resolve(i.image_id, i.place)) for i in found]


def _hash_of(name: str) -> str | None:
    if is_url(name):
        return hashlib.sha256(read_file(name)).hexdigest()
    return hash_file(Path(name)) if Path(name).is_file() else None


def input_of_record(record: ImageRecord) -> ImageInput:
    """Return a data set's image as an input."""
    return ImageInput(record.image_id, str(record.path), record)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def place_of(path: str, time_s: float | None) -> str:
    """Return the place of an image at `path`, `time_s` into its video if it is one."""
    return path if time_s is None else f"{path}@{_clock(time_s)}"


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{seconds:06.3f}"


def parse_interval(text: str) -> float:
    """Return the seconds in "1s", "0.5", "500ms" or "2min".

    Raises:
        SettingsError: If it is none of these, or not above 0.
    """
    units = {"ms": 0.001, "min": 60.0, "s": 1.0}
    number, unit = text.strip(), 1.0
    for name, seconds in units.items():
        if number.endswith(name):
            number, unit = number[: -len(name)], seconds
            break
    try:
        found = float(number) * unit
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise SettingsError(f"{text!r} is no interval; write 1s, 0.5s, 500ms or 2min.")
    return found
