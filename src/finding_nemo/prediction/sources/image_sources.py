"""What a person names on the command line into a stream of images to predict, in order."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.errors import DatasetError, DatasetNotFoundError, ImageError, SettingsError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.files.text_files import text_lines
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.printable import printable
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.datasets.dataset_forms import DATASET_SUFFIXES, form_of
from finding_nemo.data.datasets.fields.path_spelling import file_of_name
from finding_nemo.data.datasets.fields.record_fields import record_of_path
from finding_nemo.data.filesystems.filesystem import (
    file_system_of,
    is_url,
    local_fault,
    open_list,
    path_part,
)
from finding_nemo.data.filesystems.name_text import text_of_name
from finding_nemo.data.filesystems.passed_over import PassedOver
from finding_nemo.data.filesystems.tar import (
    PACKED_TAR_SUFFIXES,
    TAR_SUFFIXES,
    image_members,
    inside,
    member_path,
)
from finding_nemo.data.filesystems.walking import Found, has_wildcard, matching, walk
from finding_nemo.data.images.decode import IMAGE_SUFFIXES
from finding_nemo.data.images.video import VIDEO_SUFFIXES, frame_times
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.prediction.sources.image_ids import IdResolver, clock_time, location_of

STDIN = "-"
LIST_SUFFIXES = frozenset({".txt", ".lst"})
# Of a `.txt` both could be meant; here, where images are named, it is a list of them.
_DATASET_SUFFIXES = DATASET_SUFFIXES - LIST_SUFFIXES
_FILE_SUFFIXES = IMAGE_SUFFIXES | TAR_SUFFIXES | VIDEO_SUFFIXES
_DEFAULT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One image to predict.

    Attributes:
        image_id: Its name in the results, unique in a run.
        path: The file or URL; `tar://MEMBER::TAR` in a tar; the video of a frame. As text:
            `name_of_text` gives the file's own name.
        record: What is known of it without opening it: dive, time, frame number.
        position: Where it begins in its tar, or which frame of its video it is.
        size: Its bytes in its tar.
        time_s: Seconds since its video's first frame.
        failure: Why it cannot be used, where that is known before it is opened.
        content: The image itself where it is in memory: bytes of a file, or pixels.
    """

    image_id: str
    path: str
    record: ImageRecord
    position: int | None = None
    size: int | None = None
    time_s: float | None = None
    failure: str | None = None
    content: bytes | Pixels | None = field(default=None, compare=False, repr=False)

    @property
    def location(self) -> str:
        """Where the image is: its path, and its time in a video."""
        return location_of(self.path, self.time_s)


@dataclass(frozen=True, slots=True)
class ImageSelection:
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
        limits: What a server may cost.
        passed: What the last `stream` passed over.
    """

    names: tuple[str, ...]
    images: Path | None = None
    dive_pattern: str | None = None
    origin: str | None = None
    split: Path | None = None
    part: str | None = None
    every_s: float | None = None
    stdin: Path | None = None
    limits: InputLimits = USUAL_LIMITS
    passed: PassedOver = field(default_factory=PassedOver, init=False, repr=False, compare=False)

    def stream(self, reporter: Reporter | None = None) -> Iterator[ImageInput]:
        """Yield the images in the order given; ids may still repeat.

        An image file that is absent is in the stream: it becomes a row with a failure.

        Args:
            reporter: Told at the end what was passed over, one sentence a kind.

        Raises:
            DatasetNotFoundError: If a folder, list or data set does not exist.
            DatasetError: If there is no image at all.
        """
        self.passed.clear()
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
        for notice in self.passed.sentences():
            (reporter or Reporter()).message(f"note: {notice}")

    def request(self) -> dict[str, Any]:
        """Return what tells this selection from another, as JSON-ready values.

        Lists and split files count by their bytes. What a folder, pattern, tar or video holds is
        not looked at.
        """
        texts = [name for name in self.names if _suffix(name) in LIST_SUFFIXES]
        values: dict[str, Any] = {
            "names": [text_of_name(name) for name in self.names],
            "lists": {text_of_name(name): self._hash_of(name) for name in texts},
            "images": text_of_name(str(self.images or "")),
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
        named = " ".join([".", *self.passed.sentences()]).rstrip()
        names = printable(", ".join(self.names))
        return DatasetError(f"No image to predict in {names}{narrowed}{named}")

    def _hash_of(self, name: str) -> str | None:
        if is_url(name):
            with open_list(name, self.limits) as content:
                return hashlib.sha256(content.read()).hexdigest()
        return hash_file(Path(name)) if os.path.isfile(name) else None

    def _expand(self, name: str) -> Iterator[ImageInput]:
        if name == STDIN:
            return self._listed(str(self.stdin or "/dev/stdin"))
        if has_wildcard(name) and (is_url(name) or not os.path.exists(name)):
            return self._files(matching(name, self.passed))
        return self._of_url(name) if is_url(name) else self._of_path(name)

    def _of_path(self, name: str) -> Iterator[ImageInput]:
        suffix = _suffix(name)
        if self._is_dataset(Path(name)):
            found = read_dataset(Path(name), images=self.images, dive_pattern=self.dive_pattern)
            self.passed.interpreted(found.notices)
            return (input_of_record(record) for record in found.records)
        if os.path.isdir(name):
            return self._files(walk(name, self.passed))
        if suffix in LIST_SUFFIXES and os.path.isfile(name):
            return self._listed(name)
        if name.endswith(PACKED_TAR_SUFFIXES):
            raise _packed(name)
        if suffix in _FILE_SUFFIXES or os.path.exists(name):
            return self._file(name)
        respelled = file_of_name(name)
        if respelled != name:
            self.passed.respelled(name, respelled)
            return self._of_path(respelled)
        raise _nowhere(name)

    def _of_url(self, name: str) -> Iterator[ImageInput]:
        suffix = _suffix(name)
        if suffix in LIST_SUFFIXES:
            return self._listed(name)
        if suffix in _FILE_SUFFIXES:
            return self._file(name)
        if name.endswith(PACKED_TAR_SUFFIXES):
            raise _packed(name)
        if suffix in _DATASET_SUFFIXES:
            raise DatasetError(
                f"{printable(name)} is an address; a data set is read from this machine only. "
                "Download it first."
            )
        try:
            kind = file_system_of(name, self.limits).kind(name)
        except ImageError as error:
            raise DatasetError(f"{printable(name)} is not read ({error}).") from None
        if kind == "folder":
            return self._files(walk(name, self.passed))
        if kind == "file":
            return self._file(name)
        raise _nowhere(name)

    @staticmethod
    def _is_dataset(path: Path) -> bool:
        try:
            return path.suffix.lower() not in LIST_SUFFIXES and form_of(path) is not None
        except OSError:  # a folder that may not be entered
            return False

    def _files(self, found: Iterator[Found]) -> Iterator[ImageInput]:
        """Expand what a folder or pattern holds, passing over what is no image."""
        taken = IMAGE_SUFFIXES | TAR_SUFFIXES | (VIDEO_SUFFIXES if self.every_s else frozenset())
        for file in found:
            suffix = _suffix(file.path)
            if suffix not in taken:
                is_video = suffix in VIDEO_SUFFIXES
                (self.passed.video if is_video else self.passed.file)(file.path, suffix)
            elif file.fault is not None:
                yield self._failed(file.path, ImageError(file.fault))
            else:
                yield from self._of_file(file.path)

    def _listed(self, name: str) -> Iterator[ImageInput]:
        with open_list(name, self.limits) as stream:
            for line in text_lines(stream, name, refusal=DatasetError):
                path = line.strip()
                if path:
                    yield from self._file(path)

    def _file(self, path: str) -> Iterator[ImageInput]:
        """Expand a file that a person or a list named."""
        if is_url(path):
            return self._of_file(path)
        found = file_of_name(path)
        if found != path:
            self.passed.respelled(path, found)
        fault = local_fault(found)
        if fault is not None:
            return iter([self._failed(str(Path(found)), ImageError(fault))])
        return self._of_file(found)

    def _of_file(self, path: str) -> Iterator[ImageInput]:
        suffix = _suffix(path)
        if suffix in TAR_SUFFIXES:
            yield from self._of_tar(path)
        elif suffix in VIDEO_SUFFIXES:
            yield from self._of_video(path)
        else:
            shown = text_of_name(path if is_url(path) else str(Path(path)))
            record = self._record(path)
            yield ImageInput(record.image_id, shown, record)

    def _record(self, path: str) -> ImageRecord:
        return record_of_path(Path(path_part(path)), self.dive_pattern)

    def _of_tar(self, path: str) -> Iterator[ImageInput]:
        try:
            for member in image_members(path, self.passed, self.limits):
                if not member.name:
                    yield self._failed(path, ImageError(str(member.failure)))
                    continue
                record = self._record(f"{path}/{inside(member.name)}")
                yield ImageInput(
                    image_id=record.image_id,
                    path=member_path(path, member.name),
                    record=record,
                    position=member.start,
                    size=member.size,
                    failure=member.failure,
                )
        except ImageError as error:
            yield self._failed(path, error)

    def _of_video(self, path: str) -> Iterator[ImageInput]:
        record = self._record(path)
        try:
            for frame in frame_times(path, self.every_s or _DEFAULT_EVERY_S):
                yield ImageInput(
                    image_id=f"{record.image_id}@{clock_time(frame.time_s)}",
                    path=text_of_name(path),
                    record=record,
                    position=frame.position,
                    time_s=frame.time_s,
                )
        except ImageError as error:
            yield self._failed(path, error)

    def _failed(self, path: str, error: ImageError) -> ImageInput:
        record = self._record(path)
        return ImageInput(record.image_id, text_of_name(path), record, failure=str(error))


def collect_images(
    names: Sequence[str],
    *,
    images: Path | None = None,
    dive_pattern: str | None = None,
    origin: str | None = None,
    split: Path | None = None,
    part: str | None = None,
    reporter: Reporter | None = None,
) -> list[ImageInput]:
    """Return the images that `names` stand for, in the order given, all in memory.

    See `ImageSelection` for the arguments, and its `stream` for `reporter`.

    Raises:
        DatasetNotFoundError: If a folder, list or data set does not exist.
        DatasetError: If there is no image at all.
    """
    selection = ImageSelection(
        tuple(names),
        images=images,
        dive_pattern=dive_pattern,
        origin=origin,
        split=split,
        part=part,
    )
    found = list(selection.stream(reporter))
    resolver = IdResolver()
    for image in found:
        resolver.add(image.image_id, image.location)
    resolver.close()
    return [replace(i, image_id=resolver.resolve(i.image_id, i.location)) for i in found]


def input_of_record(record: ImageRecord) -> ImageInput:
    """Return a data set's image as an input."""
    return ImageInput(record.image_id, text_of_name(str(record.path)), record)


def _suffix(name: str) -> str:
    return PurePosixPath(path_part(name)).suffix.lower()


def _packed(name: str) -> DatasetError:
    return DatasetError(f"{printable(name)} is a packed tar, which cannot be read from the middle.")


def _nowhere(name: str) -> DatasetNotFoundError:
    return DatasetNotFoundError(
        f"{printable(name)} does not exist. Name image files, folders, lists, tars or data sets."
    )


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
