"""`reviews.csv`: what a person saw in frames.

Columns: `id,categories[,complete][,rejected][,reviewer][,time]`; others are not looked at.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from finding_nemo.adaptation.label_regression import DiveLabels
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import AnnotationError, ReviewsError
from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.core.files.table_files import read_table
from finding_nemo.core.text.cells import is_nothing, is_number, quoted, undefused
from finding_nemo.core.text.name_key import name_key
from finding_nemo.data.datasets.fields.label_cells import Cell, CellForm, category_id, take_apart
from finding_nemo.data.datasets.reading_notes import Notes

_YES = frozenset({"yes", "true", "1", "1.0", "y", "t"})
_NO = frozenset({"no", "false", "0", "0.0", "n", "f"})
MAX_NAME = 200
NOTHING = Cell("", (), CellForm.ONE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """What a person saw in one frame.

    Attributes:
        image_id: The frame.
        cell: The categories, by name or id, as they were written.
        is_complete: Whether everything in the frame was named; otherwise what is not named was not
            looked for.
        line: Where it stands in the file.
        reviewer: Who looked, "" if nobody says.
        time: When, as written, "" if nobody says.
        rejected: The categories that were looked for and are not there.
    """

    image_id: str
    cell: Cell
    is_complete: bool
    line: int
    reviewer: str = ""
    time: str = ""
    rejected: Cell = NOTHING

    @property
    def says_something(self) -> bool:
        """Whether anything follows from it."""
        return bool(self.cell.parts or self.rejected.parts or self.is_complete)


@dataclass(frozen=True)
class Reviews:
    """A file of reviews, read; a frame that is there twice counts as its last line says.

    Attributes:
        path: The file.
        rows: One a frame.
        notices: What was interpreted or passed over, in sentences.
    """

    path: Path
    rows: tuple[Review, ...]
    notices: tuple[str, ...] = ()


def read_reviews(path: Path | str) -> Reviews:
    """Read a file of reviews.

    Raises:
        ReviewsError: If it is missing, empty, lacks a column, or a line cannot be read; with the
            line.
    """
    path = Path(path)
    notes = Notes()
    found: dict[str, Review] = {}
    for review in review_rows(path):
        if review.image_id in found:
            notes.add(
                "frames are reviewed again further down; the last line counts", review.image_id
            )
            del found[review.image_id]
        if not review.says_something:
            notes.add(
                "reviews name nothing and are not complete; they say nothing", review.image_id
            )
            continue
        found[review.image_id] = review
    if not found:
        raise ReviewsError(f"{path} holds no review that says anything. Name at least one frame.")
    return Reviews(path, tuple(found.values()), notes.sentences())


def review_rows(path: Path, on_fault: OnFault = stop_at_fault) -> Iterator[Review]:
    """Yield the lines of a file of reviews, those with a fault left out.

    Args:
        path: The file.
        on_fault: Takes each fault of a line.

    Raises:
        ReviewsError: If it is missing, no table, or lacks a column.
    """
    if not os.path.exists(path):
        raise ReviewsError(f"The file of reviews {path} does not exist.")
    required = ("id", "categories")
    table = read_table(path, required=required, refusal=ReviewsError, on_fault=on_fault)
    for row in table.rows:
        values = {name: _text_of(text) for name, text in row.values.items()}
        faults = list(_faults(values))
        for words in faults:
            on_fault(ReviewsError(f"{path}, line {row.line}: {words}"))
        if not faults:
            yield _review(values, row.line)


def _faults(values: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with a line, in sentences."""
    if not values["id"]:
        yield "id must not be empty."
    for name in ("categories", "rejected"):
        try:
            take_apart(values.get(name, ""))
        except AnnotationError as error:
            yield f"{error}."
    complete = values.get("complete", "").casefold()
    if not is_nothing(complete) and complete not in _YES | _NO:
        yield (
            f"complete must be yes or no, got {quoted(values['complete'])}. Write yes if "
            "everything in the frame is named, no if only some of it was looked for."
        )


def _review(values: Mapping[str, str], line: int) -> Review:
    return Review(
        image_id=values["id"],
        cell=take_apart(values["categories"]),
        is_complete=values.get("complete", "").casefold() not in _NO,
        line=line,
        reviewer=values.get("reviewer", ""),
        time=values.get("time", ""),
        rejected=take_apart(values.get("rejected", "")),
    )


def _text_of(cell: str) -> str:
    text = undefused(cell)
    return text.strip() if text == cell else text


@dataclass(frozen=True)
class ReviewedLabels:
    """Reviews as labels of the rows of a predictions file.

    Attributes:
        labels: With a column for each category of the table, then for each new name.
        new_names: Categories that the table does not have, in the order of their first review.
        notices: What was interpreted or passed over, in sentences.
    """

    labels: DiveLabels
    new_names: tuple[str, ...]
    notices: tuple[str, ...]


def labels_of_reviews(
    reviews: Reviews, image_ids: Sequence[str], table: CategoryTable
) -> ReviewedLabels:
    """Return the labels that reviews give; any name that the table does not have is a new category.

    Args:
        reviews: The reviews.
        image_ids: Of the rows of the predictions.
        table: The categories of the predictions.

    Raises:
        ReviewsError: If a name stands for several categories, an id for none, or no reviewed frame
            is among the predictions; with the line.
    """
    row_of = {image_id: row for row, image_id in enumerate(image_ids)}
    kept = [review for review in reviews.rows if review.image_id in row_of]
    notes = Notes()
    for review in reviews.rows:
        if review.image_id not in row_of:
            notes.add("reviewed frames are not among the predictions; passed over", review.image_id)
    if not kept:
        raise ReviewsError(
            f"None of the {len(reviews.rows)} frames of {reviews.path} is among the predictions "
            f"(first: {quoted(reviews.rows[0].image_id)}). Are they of another dive?"
        )
    names = CategoryNames(table, notes)
    columns = [_columns(review, names, reviews.path) for review in kept]
    width = len(table) + len(names.new)
    present = np.zeros((len(kept), width), dtype=np.bool_)
    known = np.zeros((len(kept), width), dtype=np.bool_)
    for position, (review, (found, absent)) in enumerate(zip(kept, columns, strict=True)):
        present[position, found] = True
        known[position] = review.is_complete
        known[position, [*found, *absent]] = True
    rows = np.array([row_of[review.image_id] for review in kept], dtype=np.int64)
    labels = DiveLabels(rows=rows, present=present, known=known)
    return ReviewedLabels(labels, tuple(names.new), (*reviews.notices, *notes.sentences()))


def _columns(review: Review, names: CategoryNames, path: Path) -> tuple[list[int], list[int]]:
    """Return the columns of what is there and of what is not."""
    try:
        found, absent = names.columns(review.cell), names.columns(review.rejected)
    except AnnotationError as error:
        raise ReviewsError(f"{path}, line {review.line}: {error}.") from None
    both = sorted(set(found) & set(absent))
    if both:
        raise ReviewsError(
            f"{path}, line {review.line}: {quoted(names.text_of(both[0]))} is said to be there and "
            "not to be there. Leave it in categories or in rejected."
        )
    return found, absent


class CategoryNames:
    """From what a reviewer wrote to columns; new names get columns behind those of the table.

    Attributes:
        new: The column of each new name, in the order in which they came.
    """

    def __init__(self, table: CategoryTable, notes: Notes) -> None:
        self._table = table
        self._notes = notes
        self._counts = Counter(name_key(name) for name in table.names)
        self._by_name: Mapping[str, int] = {name_key(n): c for c, n in enumerate(table.names)}
        self._exact = {name: column for column, name in enumerate(table.names)}
        self._exact_counts = Counter(table.names)
        self.new: dict[str, int] = {}
        self._new_by_name: dict[str, int] = {}

    def columns(self, cell: Cell) -> list[int]:
        """Return the distinct columns of a cell."""
        is_one = name_key(cell.whole) in self._by_name
        parts = (cell.whole,) if is_one else cell.parts
        if cell.form is CellForm.COMMAS and not is_one:
            self._notes.add(
                'cells were parted at commas into several categories; part names by ";" if a '
                "comma belongs to a name",
                cell.whole,
            )
        return list(dict.fromkeys(self.column(part) for part in parts))

    def text_of(self, column: int) -> str:
        """Return the name of a column."""
        n_known = len(self._table)
        return self._table.names[column] if column < n_known else list(self.new)[column - n_known]

    def column(self, part: str) -> int:
        """Return the column of one name or id.

        Raises:
            AnnotationError: If it is the name of several categories, the id of none, or too long.
        """
        if self._exact_counts[part] == 1:
            return self._exact[part]
        folded = name_key(part)
        if self._counts[folded] > 1:
            raise AnnotationError(
                f"{quoted(part)} is the name of {self._counts[folded]} categories; write ids"
            )
        if folded in self._by_name:
            self._notes.add(
                "names differ from the table's in capitals or blanks only; taken as those", part
            )
            return self._by_name[folded]
        if is_number(part):
            number = category_id(part)
            if number not in self._table.columns:
                raise AnnotationError(
                    f"category id {number} is not in the category table of the predictions, which "
                    f"holds {len(self._table)} ids from {min(self._table.ids)} to "
                    f"{max(self._table.ids)}; write a name to add a category"
                )
            return self._table.columns[number]
        return self._new_column(part, folded)

    def _new_column(self, part: str, folded: str) -> int:
        if len(part) > MAX_NAME:
            raise AnnotationError(
                f"a name of {len(part)} characters is none; {MAX_NAME} is the most"
            )
        if folded not in self._new_by_name:
            column = len(self._table) + len(self.new)
            self.new[part] = self._new_by_name[folded] = column
            self._notes.add("names are not in the category table; each is a new category", part)
        return self._new_by_name[folded]
