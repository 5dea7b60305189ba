"""A data set folder in the layout of the FathomNet 2023 competition, as Kaggle gives it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.core.files.table_files import TableRow
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.datasets.coco import CocoFile, read_coco
from finding_nemo.data.datasets.coco_dataset import image_ids_of
from finding_nemo.data.datasets.csv_rows import read_csv_rows
from finding_nemo.data.datasets.fields.category_columns import note_nothing
from finding_nemo.data.datasets.fields.category_key import read_category_key
from finding_nemo.data.datasets.fields.label_cells import ids_of, known_ids, take_apart
from finding_nemo.data.datasets.fields.record_fields import record_from_coco, record_from_row
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.images.image_folder import ImageFolder, check_file_name

_CATEGORY_KEY = Path("category_key.csv")
_TRAIN_TABLE = Path("multilabel_classification/train.csv")
_COCO_FILE = "object_detection/{origin}.json"


def read_competition_folder(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read the folder: `train.csv` gives order and labels, the COCO files all else."""
    if not (path / _CATEGORY_KEY).is_file():
        raise DatasetNotFoundError(f"The data set {path} lacks {_CATEGORY_KEY} (id,name,supercat).")
    source = _Source(path, read_category_key(path / _CATEGORY_KEY), images, pattern, Notes())
    described = _coco_records(source, "train")
    labelled = _labelled_records(source, described)
    if not labelled and not described:
        raise DatasetNotFoundError(
            f"The data set {path} lists no training image: it needs {_TRAIN_TABLE} "
            "(id,categories) or object_detection/train.json."
        )
    unlabelled = {key: record for key, record in described.items() if key not in labelled}
    evaluated = _coco_records(source, "eval")
    repeated = [key for key in evaluated if key in labelled or key in unlabelled]
    if repeated:
        raise AnnotationError(
            f"{path}: image id {repeated[0]!r} is in the training and the evaluation part "
            f"({len(repeated)} such ids); each must be used once."
        )
    records = (*labelled.values(), *unlabelled.values(), *evaluated.values())
    notices = (*source.notices, *source.notes.sentences(), *_notices(described, labelled))
    return Dataset(path, source.table, records, notices)


@dataclass(frozen=True, slots=True)
class _Source:
    """The folder, and what all its files are read with."""

    path: Path
    table: CategoryTable
    images: Path | None
    pattern: re.Pattern[str] | None
    notes: Notes
    notices: list[str] = field(default_factory=list)

    def image_folder(self, origin: str, named: Iterable[str] = ()) -> ImageFolder:
        root = self.images or self.path / "images"
        return ImageFolder(root / origin if (root / origin).is_dir() else root, named=named)


def _coco_records(source: _Source, origin: str) -> dict[str, ImageRecord]:
    coco_path = source.path / _COCO_FILE.format(origin=origin)
    if not coco_path.is_file():
        return {}
    coco = read_coco(coco_path)
    source.notices.extend(f"{origin}.json: {notice}" for notice in coco.notices)
    _check_categories(coco, source.table, coco_path)
    folder = source.image_folder(origin, (image.file_name for image in coco.images))
    records = {
        image_id: record_from_coco(
            image,
            image_id,
            path=folder.locate(image.file_name),
            category_ids=tuple(sorted({box.category_id for box in image.boxes}))
            if coco.has_annotations
            else None,
            origin=origin,
            pattern=source.pattern,
            notes=source.notes,
        )
        for image, image_id in zip(coco.images, image_ids_of(coco), strict=True)
    }
    source.notices.extend(folder.notices())
    return records


def _check_categories(coco: CocoFile, table: CategoryTable, coco_path: Path) -> None:
    used = {box.category_id for image in coco.images for box in image.boxes}
    unknown = sorted(used - set(table.ids))
    if unknown:
        raise AnnotationError(f"{coco_path}: category id {unknown[0]} is not in {_CATEGORY_KEY}.")


def _labelled_records(source: _Source, described: dict[str, ImageRecord]) -> dict[str, ImageRecord]:
    train_table = source.path / _TRAIN_TABLE
    if not train_table.is_file():
        return {}
    folder = source.image_folder("train")
    records: dict[str, ImageRecord] = {}
    for row in read_csv_rows(train_table, required=("id", "categories")):
        try:
            record = _labelled_record(row, source, described, folder)
        except AnnotationError as error:
            raise AnnotationError(f"{train_table}, line {row.line}: {error}.") from None
        if record.image_id in records:
            raise AnnotationError(
                f"{train_table}, line {row.line}: image id {record.image_id!r} is there already."
            )
        records[record.image_id] = record
    source.notices.extend(folder.notices())
    return records


def _labelled_record(
    row: TableRow, source: _Source, described: dict[str, ImageRecord], folder: ImageFolder
) -> ImageRecord:
    image_id = check_file_name(row.values["id"].strip())
    cell = take_apart(row.values["categories"])
    note_nothing((cell,), source.notes)
    category_ids = known_ids(ids_of(cell), source.table.columns)
    record = described.get(image_id)
    if record is not None and not row.values.get("dive"):
        return replace(record, category_ids=category_ids)
    described_fields = record_from_row(
        row.values,
        image_id,
        path=folder.locate_id(image_id),
        name=image_id,
        category_ids=category_ids,
        origin="train",
        pattern=source.pattern,
        notes=source.notes,
    )
    if record is None:
        return described_fields
    key = described_fields
    return replace(record, category_ids=category_ids, dive=key.dive, vehicle=key.vehicle)


def _notices(
    described: dict[str, ImageRecord], labelled: dict[str, ImageRecord]
) -> tuple[str, ...]:
    if not described or not labelled:
        return ()
    counts: Counter[str] = Counter()
    for key, record in labelled.items():
        if key not in described:
            counts["of train.csv are not in train.json (no size, dive or time)"] += 1
        elif described[key].boxes and record.category_ids != described[key].category_ids:
            counts["have other categories in train.csv than boxes in train.json"] += 1
    extra = len(described.keys() - labelled.keys())
    if extra:
        counts["of train.json are not in train.csv; their boxes give their categories"] = extra
    return tuple(f"{count} images {what}." for what, count in counts.items())
