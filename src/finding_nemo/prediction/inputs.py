"""What a person names on the command line into images to predict, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import DatasetError, DatasetNotFoundError
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.competition_folder import is_competition_folder
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.image_files import list_image_files
from finding_nemo.data.images import IMAGE_SUFFIXES
from finding_nemo.data.record_fields import record_of_path
from finding_nemo.data.splits.file import read_split

_LIST_SUFFIXES = frozenset({".txt", ".lst"})
_DATASET_SUFFIXES = frozenset({".json", ".csv"})


@dataclass(frozen=True, slots=True)
class ImageInput:
    """One image to predict.

    Attributes:
        image_id: Its name in the results, unique in a run.
        path: The file.
        record: What is known of it without opening it: dive, time, frame number.
    """

    image_id: str
    path: Path
    record: ImageRecord


def collect_images(
    names: Sequence[str],
    *,
    images: Path | None = None,
    dive_pattern: str | None = None,
    origin: str | None = None,
    split: Path | None = None,
    part: str | None = None,
) -> list[ImageInput]:
    """Return the images that `names` stand for, in the order given.

    A name is an image file, a folder of images, a text file with one path a line, or a data
    set (folder, COCO or CSV file), whose image ids are kept. An image file that is absent
    stays in the list: it becomes a row with a failure.

    Args:
        names: As typed.
        images: Image folder of a data set, where it is not the usual one.
        dive_pattern: Where to find the dive in a path or URL.
        origin: Keep only a data set's images of this annotation file ("train", "eval").
        split: A split file; with `part`, only that part's images are kept.
        part: The part.

    Raises:
        DatasetNotFoundError: If a folder or list does not exist.
        DatasetError: If there is no image at all.
    """
    records: list[ImageRecord] = []
    for name in names:
        records.extend(_expand(Path(name), images, dive_pattern))
    if origin is not None:
        records = [record for record in records if record.origin == origin]
    if split is not None and part is not None:
        wanted = set(read_split(split).ids_in(part))
        records = [record for record in records if record.image_id in wanted]
    if not records:
        raise DatasetError(f"No image to predict in {', '.join(names)}{_narrowed(origin, part)}.")
    return _with_unique_ids(records)


def _narrowed(origin: str | None, part: str | None) -> str:
    return "".join(
        f" ({name} {value})" for name, value in (("origin", origin), ("part", part)) if value
    )


def _expand(path: Path, images: Path | None, dive_pattern: str | None) -> Iterable[ImageRecord]:
    suffix = path.suffix.lower()
    if is_competition_folder(path) or (suffix in _DATASET_SUFFIXES and path.is_file()):
        return read_dataset(path, images=images, dive_pattern=dive_pattern).records
    if path.is_dir():
        return [record_of_path(file, dive_pattern) for file in list_image_files(path)]
    if suffix in _LIST_SUFFIXES and path.is_file():
        return [record_of_path(file, dive_pattern) for file in _listed(path)]
    if suffix in IMAGE_SUFFIXES or path.is_file():
        return [record_of_path(path, dive_pattern)]
    raise DatasetNotFoundError(
        f"{path} does not exist. Name image files, folders, lists or data sets."
    )


def _listed(path: Path) -> list[Path]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Path(line.strip()) for line in lines if line.strip()]


def _with_unique_ids(records: Sequence[ImageRecord]) -> list[ImageInput]:
    """Keep ids that are used once; images that share one are told apart by path, then by place."""
    counts = Counter(record.image_id for record in records)
    inputs = []
    seen: Counter[str] = Counter()
    for record in records:
        image_id = record.image_id if counts[record.image_id] == 1 else record.path.as_posix()
        seen[image_id] += 1
        if seen[image_id] > 1:
            image_id = f"{image_id}#{seen[image_id]}"
        inputs.append(ImageInput(image_id, record.path, record))
    return inputs
