"""A CSV file with the columns `path,categories`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.files.table_files import TableRow
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.datasets.csv_rows import read_csv_table
from finding_nemo.data.datasets.fields.category_columns import (
    IdsOf,
    are_ids,
    category_table,
    ids_by_table,
    note_nothing,
    table_of_cells,
)
from finding_nemo.data.datasets.fields.category_key import read_category_key
from finding_nemo.data.datasets.fields.label_cells import (
    Cell,
    ids_of,
    take_apart,
    without_decimal_commas,
)
from finding_nemo.data.datasets.fields.record_fields import record_from_row
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.filesystems.image_names import ids_of_files
from finding_nemo.data.images.image_folder import ImageFolder, check_file_name


@dataclass(frozen=True, slots=True)
class _Reading:
    """What all rows of one file have in common."""

    ids_of: IdsOf
    folder: ImageFolder
    origin: str
    pattern: re.Pattern[str] | None
    notes: Notes


def read_csv_dataset(
    path: Path, *, images: Path | None, pattern: re.Pattern[str] | None
) -> Dataset:
    """Read a CSV file; paths are relative to `images`, or to the file's own folder.

    Categories are ids (of `category_key.csv` beside the file, if there is one) or names, numbered
    from 1 in alphabetical order where no table names them; see `category_columns`.
    """
    read = read_csv_table(path, required=("path", "categories"))
    rows = list(read.rows)
    texts = [row.values["categories"] for row in rows]
    if read.decimal_comma:
        texts = without_decimal_commas(texts)
    cells = [_cell(path, row, text) for row, text in zip(rows, texts, strict=True)]
    notes = Notes()
    table, category_ids = _categories(path, rows, cells, notes)
    folder = ImageFolder(images or path.parent, named=(row.values["path"].strip() for row in rows))
    reading = _Reading(category_ids, folder, path.stem, pattern, notes)
    records: dict[str, ImageRecord] = {}
    for row, cell, image_id in zip(rows, cells, _image_ids(rows), strict=True):
        try:
            record = _record(row, cell, image_id, reading)
        except AnnotationError as error:
            raise AnnotationError(f"{path}, line {row.line}: {error}.") from None
        if record.image_id in records:
            raise AnnotationError(
                f"{path}, line {row.line}: image id {record.image_id!r} is there already; "
                "add an id column to tell files of one name apart."
            )
        records[record.image_id] = record
    notices = (*folder.notices(), *notes.sentences())
    return Dataset(path.parent, table, tuple(records.values()), notices)


def _image_ids(rows: Sequence[TableRow]) -> list[str]:
    """Return each row's id: as given, or else by its file's name."""
    given = [row.values.get("id", "").strip() for row in rows]
    names = [row.values["path"].strip() for row in rows]
    without = list(dict.fromkeys(n for n, own in zip(names, given, strict=True) if not own))
    made = dict(zip(without, ids_of_files(without), strict=True))
    return [own or made[name] for name, own in zip(names, given, strict=True)]


def _cell(path: Path, row: TableRow, text: str) -> Cell:
    try:
        return take_apart(text)
    except AnnotationError as error:
        raise AnnotationError(f"{path}, line {row.line}: {error}.") from None


def _categories(
    path: Path, rows: Sequence[TableRow], cells: Sequence[Cell], notes: Notes
) -> tuple[CategoryTable, IdsOf]:
    key = path.parent / "category_key.csv"
    if key.is_file():
        table = read_category_key(key)
        note_nothing(cells, notes, known=table.names)
        return table, ids_by_table(table)
    note_nothing(cells, notes)
    if are_ids(cells):
        for row, cell in zip(rows, cells, strict=True):
            try:
                ids_of(cell)
            except AnnotationError as error:
                raise AnnotationError(f"{path}, line {row.line}: {error}.") from None
    named, category_ids = table_of_cells(cells, notes)
    if not named:
        raise AnnotationError(f"{path} names no category in its column 'categories'.")
    return category_table(named), category_ids


def _record(row: TableRow, cell: Cell, image_id: str, reading: _Reading) -> ImageRecord:
    name = check_file_name(row.values["path"].strip())
    return record_from_row(
        row.values,
        image_id,
        path=reading.folder.locate(name),
        name=name,
        category_ids=reading.ids_of(cell),
        origin=reading.origin,
        pattern=reading.pattern,
        notes=reading.notes,
    )
