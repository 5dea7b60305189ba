"""What the ids of a file of reviews are called, and whether a data set calls them the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from finding_nemo.adaptation.files.reviews import Review, Reviews
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import ReviewsError
from finding_nemo.core.files.table_files import read_table
from finding_nemo.core.text.cells import is_number, quoted, undefused
from finding_nemo.data.datasets.fields.label_cells import Cell, category_id, take_apart
from finding_nemo.data.datasets.reading_notes import Notes

_BY_NAME = (
    "reviews have ids that the data set knows by other names; their names count (column names)"
)


def names_of_ids(path: Path) -> dict[int, str]:
    """Return what the column `names` calls the ids of the column beside it.

    Empty where there is no such column, or where two ids share a name.
    """
    return _names_in(_cells(path).values())


def _names_in(cells: Iterable[tuple[Cell, Cell]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for ids, names in cells:
        if len(ids.parts) == len(names.parts):
            pairs = zip(ids.parts, names.parts, strict=True)
            found |= {category_id(number): name for number, name in pairs if is_number(number)}
    return found if len(set(found.values())) == len(found) else {}


def in_terms_of(reviews: Reviews, table: CategoryTable, notes: Notes) -> Reviews:
    """Return reviews whose ids mean in `table` what they meant where they were given.

    A review with an id that the table knows by another name, or not at all, is read by its names.

    Args:
        reviews: As they were read.
        table: Of the data set that they are added to.
        notes: Told of what was read by name.

    Raises:
        ReviewsError: If what was rejected has such an id: no names stand beside those.
    """
    cells = _cells(reviews.path)
    own = dict(zip(table.ids, table.names, strict=True))
    strange = {
        number
        for number, name in _names_in(cells.values()).items()
        if own.get(number, "").casefold() != name.casefold()
    }
    if not strange:
        return reviews
    rows = [
        _by_name(review, cells[review.line][1], strange, reviews.path, notes)
        for review in reviews.rows
    ]
    return replace(reviews, rows=tuple(rows))


def _by_name(review: Review, names: Cell, strange: set[int], path: Path, notes: Notes) -> Review:
    if _ids_of(review.rejected) & strange:
        raise ReviewsError(
            f"{path}, line {review.line}: the column rejected has the id "
            f"{min(_ids_of(review.rejected) & strange)}, which means another category in this data "
            f"set. Write names in place of {quoted(review.rejected.whole)}."
        )
    if not _ids_of(review.cell) & strange:
        return review
    notes.add(_BY_NAME, review.image_id)
    return replace(review, cell=names)


def _ids_of(cell: Cell) -> set[int]:
    return {category_id(part) for part in cell.parts if is_number(part)}


def _cells(path: Path) -> Mapping[int, tuple[Cell, Cell]]:
    """Return by line the cell of categories and that of names."""
    table = read_table(path, required=("id", "categories"), refusal=ReviewsError)
    return {
        row.line: (
            take_apart(undefused(row.values["categories"])),
            take_apart(undefused(row.values.get("names", ""))),
        )
        for row in table.rows
    }
