"""A whole column of `categories` cells: what they are is decided once, for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.text.cells import is_number, quoted
from finding_nemo.data.datasets.fields.label_cells import (
    Cell,
    CellForm,
    category_id,
    ids_of,
    known_ids,
)
from finding_nemo.data.datasets.reading_notes import Notes

IdsOf = Callable[[Cell], tuple[int, ...]]


def note_nothing(cells: Sequence[Cell], notes: Notes, known: Collection[str] = ()) -> None:
    """Note the cells in which a word for nothing stands and no name of `known`."""
    for cell in cells:
        if cell.n_nothing and cell.whole not in known:
            notes.add(
                "cells of the column categories say nothing, taken as no category", cell.whole
            )


def ids_by_table(table: CategoryTable) -> IdsOf:
    """Return how cells of names or ids of a known table are read.

    A cell that is one name of the table is that, commas and all. Each part of any other is a name
    of the table, else an id of it.
    """
    counts = Counter(table.names)
    by_name = dict(zip(table.names, table.ids, strict=True))

    def one(part: str) -> int:
        if counts[part] > 1:
            raise AnnotationError(
                f"category {quoted(part)} is the name of {counts[part]} categories; write ids"
            )
        if part in by_name:
            return by_name[part]
        if is_number(part):
            return category_id(part)
        raise AnnotationError(f"category {quoted(part)} is not in the category table")

    def ids(cell: Cell) -> tuple[int, ...]:
        parts = (cell.whole,) if cell.whole in by_name else cell.parts
        return known_ids([one(part) for part in parts], table.columns)

    return ids


def are_ids(cells: Sequence[Cell]) -> bool:
    """Return whether every part of every cell of a column is a number."""
    return all(cell.is_numbers for cell in cells)


def table_of_cells(cells: Sequence[Cell], notes: Notes) -> tuple[list[tuple[int, str]], IdsOf]:
    """Return the categories that a column without a table names, and how its cells are read.

    If every part of every cell is a number, they are ids. Otherwise they are names, numbered from
    1 in alphabetical order. Commas part names, unless other cells of the column part them by ";",
    "|" or as a list in brackets: then a comma belongs to a name. Either is noted.
    """
    if are_ids(cells):
        numbers = sorted({number for cell in cells for number in ids_of(cell)})
        named = [(number, f"category {number}") for number in numbers]
        return named, lambda cell: tuple(sorted(set(ids_of(cell))))
    certain = (CellForm.LIST, CellForm.SEPARATORS)
    kept = any(cell.form in certain and not cell.is_numbers for cell in cells)
    of_cell: dict[Cell, tuple[str, ...]] = {}
    for cell in cells:
        of_cell[cell] = _names_of(cell, kept, notes)
    names = sorted({name for found in of_cell.values() for name in found})
    number_of = {name: number for number, name in enumerate(names, start=1)}
    return [(number, name) for name, number in number_of.items()], lambda cell: tuple(
        sorted({number_of[name] for name in of_cell[cell]})
    )


def _names_of(cell: Cell, kept: bool, notes: Notes) -> tuple[str, ...]:
    if cell.parts and cell.is_numbers:
        notes.add("cells are numbers in a column of names, taken as names", cell.whole)
    holds_commas = cell.form is CellForm.SEPARATORS and any("," in part for part in cell.parts)
    if cell.form is not CellForm.COMMAS and not holds_commas:
        return cell.parts
    if kept:
        notes.add(
            "cells hold commas, which were taken as parts of names, since other cells part "
            'names by ";" or as a list',
            cell.whole,
        )
        return cell.parts if holds_commas else (cell.whole,)
    notes.add(
        'cells were parted at commas into several categories; part names by ";" if a comma '
        "belongs to a name",
        cell.whole,
    )
    return cell.parts


def category_table(named: Sequence[tuple[int, str]]) -> CategoryTable:
    """Return a table of categories of which no supercategory is known."""
    return CategoryTable(tuple(Category(number, name, "none") for number, name in named))
