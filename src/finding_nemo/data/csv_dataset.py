"""A CSV file with the columns `path,categories`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.category_key import read_category_key
from finding_nemo.data.category_lists import (
    is_id_list,
    known_ids,
    parse_category_ids,
    parse_category_names,
)
from finding_nemo.data.csv_rows import CsvRow, read_csv_rows
from finding_nemo.data.image_files import ImageFolder, check_file_name
from finding_nemo.data.image_names import ids_of_files
from finding_nemo.data.record_fields import record_from_row


def read_csv_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read a CSV file; paths are relative to `images`, or to the file's own folder.

    Categories are ids (of `category_key.csv` beside the file, if there is one) or names with
    ";" between them, numbered from 1 in alphabetical order where no table names them.
    """
    rows = list(read_csv_rows(path, required=("path", "categories")))
    table = _category_table(path, rows)
    folder = ImageFolder(images or path.parent, named=(row.values["path"].strip() for row in rows))
    image_ids = _image_ids(rows)
    records: dict[str, ImageRecord] = {}
    for row, image_id in zip(rows, image_ids, strict=True):
        try:
            record = _record(row, image_id, table, folder, origin=path.stem, pattern=pattern)
        except AnnotationError as error:
            raise AnnotationError(f"{path}, line {row.line}: {error}.") from None
        if record.image_id in records:
            raise AnnotationError(
                f"{path}, line {row.line}: image id {record.image_id!r} is there already; "
                "add an id column to tell files of one name apart."
            )
        records[record.image_id] = record
    return Dataset(path.parent, table, tuple(records.values()), folder.notices())


def _image_ids(rows: Sequence[CsvRow]) -> list[str]:
    """Return each row's id: as given, or else by its file's name."""
    given = [row.values.get("id", "").strip() for row in rows]
    names = [row.values["path"].strip() for row in rows]
    without = list(dict.fromkeys(n for n, own in zip(names, given, strict=True) if not own))
    made = dict(zip(without, ids_of_files(without), strict=True))
    return [own or made[name] for name, own in zip(names, given, strict=True)]


def _category_table(path: Path, rows: Sequence[CsvRow]) -> CategoryTable:
    key = path.parent / "category_key.csv"
    if key.is_file():
        return read_category_key(key)
    cells = [row.values["categories"] for row in rows]
    if all(is_id_list(cell) for cell in cells):
        ids = sorted({number for cell in cells for number in parse_category_ids(cell)})
        named = [(number, f"category {number}") for number in ids]
    else:
        names = sorted({name for cell in cells for name in parse_category_names(cell)})
        named = list(enumerate(names, start=1))
    if not named:
        raise AnnotationError(f"{path} names no category in its column 'categories'.")
    return CategoryTable(tuple(Category(number, name, "none") for number, name in named))


def _record(
    row: CsvRow,
    image_id: str,
    table: CategoryTable,
    folder: ImageFolder,
    *,
    origin: str,
    pattern: re.Pattern[str] | None,
) -> ImageRecord:
    name = check_file_name(row.values["path"].strip())
    return record_from_row(
        row.values,
        image_id,
        path=folder.locate(name),
        name=name,
        category_ids=_category_ids(row.values["categories"], table),
        origin=origin,
        pattern=pattern,
    )


def _category_ids(cell: str, table: CategoryTable) -> tuple[int, ...]:
    if is_id_list(cell):
        return known_ids(parse_category_ids(cell), table.columns)
    by_name = dict(zip(table.names, table.ids, strict=True))
    names = parse_category_names(cell)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise AnnotationError(f"category {unknown[0]!r} is not in the category table")
    return tuple(sorted({by_name[name] for name in names}))
