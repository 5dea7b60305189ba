"""A bare COCO file with an image folder."""

from __future__ import annotations

import re
from pathlib import Path

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset
from finding_nemo.data.datasets.coco import CocoFile, read_coco
from finding_nemo.data.datasets.fields.record_fields import record_from_coco
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.filesystems.image_names import ids_of_files
from finding_nemo.data.images.image_folder import ImageFolder


def read_coco_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read a COCO file; its images lie in `images`, in `images/` beside it, or beside it."""
    coco = read_coco(path)
    if coco.categories is None:
        raise AnnotationError(f"{path}: the key 'categories' must list at least one category.")
    notes = Notes()
    beside = path.parent / "images"
    folder = ImageFolder(
        images or (beside if beside.is_dir() else path.parent),
        named=(image.file_name for image in coco.images),
    )
    records = [
        record_from_coco(
            image,
            image_id,
            path=folder.locate(image.file_name),
            category_ids=_labels(coco, index),
            origin=path.stem,
            pattern=pattern,
            notes=notes,
        )
        for index, (image, image_id) in enumerate(zip(coco.images, image_ids_of(coco), strict=True))
    ]
    notices = (*coco.notices, *folder.notices(), *notes.sentences())
    return Dataset(path.parent, coco.categories, tuple(records), notices)


def image_ids_of(coco: CocoFile) -> list[str]:
    """Return each image's id, by its file's name; see `ids_of_files`."""
    return ids_of_files([image.file_name for image in coco.images])


def _labels(coco: CocoFile, index: int) -> tuple[int, ...] | None:
    if not coco.has_annotations:
        return None
    return tuple(sorted({box.category_id for box in coco.images[index].boxes}))
