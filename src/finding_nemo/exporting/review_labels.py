"""What people said of frames, as labels beside those of the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from finding_nemo.adaptation.files.reviews import CategoryNames, Review, read_reviews
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError, ReviewsError
from finding_nemo.core.text.cells import INT32_MAX
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.exporting.export_frame import PERSON, ExportCategory, ExportLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedFrame:
    """What a person said of one frame.

    Attributes:
        labels: What they saw.
        rejected: Names that they looked for and did not see.
        is_complete: Whether they named all that is there.
    """

    labels: tuple[ExportLabel, ...]
    rejected: frozenset[str]
    is_complete: bool

    def contradicts(self, label: ExportLabel) -> bool:
        """Return whether the person says that a machine's label is wrong.

        A group is wrong where a complete review names nothing of it.
        """
        seen = {each.name for each in self.labels}
        if label.name in seen:
            return False
        if label.is_group and any(each.supercategory == label.name for each in self.labels):
            return False
        return label.name in self.rejected or self.is_complete


@dataclass(frozen=True, kw_only=True)
class ReviewLabels:
    """A file of reviews, by frame.

    Attributes:
        frames: From image id to what was said of it.
        new_categories: Those that reviews brought, with ids above the table's.
        notices: What was interpreted or passed over, in sentences.
    """

    frames: Mapping[str, ReviewedFrame]
    new_categories: tuple[ExportCategory, ...] = ()
    notices: tuple[str, ...] = ()


# What stands for the id of a group, which has none.
_NO_ID = -1
NO_REVIEWS = ReviewLabels(frames={})


def read_review_labels(path: Path, table: CategoryTable) -> ReviewLabels:
    """Read a file of reviews.

    Args:
        path: The file, `id,categories[,complete][,rejected][,reviewer][,time]`.
        table: The categories of the predictions; supercategories may be
            named, too, and other names are new ones.

    Raises:
        ReviewsError: If it cannot be read, or a line names what cannot be; with the line.
    """
    reviews = read_reviews(path)
    notes = Notes()
    groups = _groups_of(table)
    names = CategoryNames(CategoryTable((*table.categories, *groups)), notes)
    columns = [(review, *_columns(review, names, path)) for review in reviews.rows]
    first = max(table.ids, default=0) + 1
    new = tuple(
        ExportCategory(category_id=first + place, name=name) for place, name in enumerate(names.new)
    )
    categories = [
        ExportCategory(
            category_id=each.category_id, name=each.name, supercategory=each.supercategory
        )
        for each in table.categories
    ]
    as_groups = [ExportCategory(category_id=_NO_ID, name=each.name) for each in groups]
    known = (*categories, *as_groups, *new)
    frames = {
        review.image_id: ReviewedFrame(
            labels=tuple(_label(known[column], review) for column in seen),
            rejected=frozenset(known[column].name for column in absent),
            is_complete=review.is_complete,
        )
        for review, seen, absent in columns
    }
    notices = (*reviews.notices, *notes.sentences())
    return ReviewLabels(frames=frames, new_categories=new, notices=notices)


def _groups_of(table: CategoryTable) -> tuple[Category, ...]:
    """Return the supercategories that no category is called, so that reviews may name them.

    Their ids are above all that a review can write.
    """
    names = {name.casefold() for name in table.names}
    groups = dict.fromkeys(each.supercategory for each in table.categories)
    kept = [name for name in groups if name not in ("", "none") and name.casefold() not in names]
    return tuple(Category(INT32_MAX + 1 + place, name, "none") for place, name in enumerate(kept))


def _columns(review: Review, names: CategoryNames, path: Path) -> tuple[list[int], list[int]]:
    try:
        return names.columns(review.cell), names.columns(review.rejected)
    except AnnotationError as error:
        raise ReviewsError(f"{path}, line {review.line}: {error}.") from None


def _label(category: ExportCategory, review: Review) -> ExportLabel:
    return ExportLabel(
        name=category.name,
        means=PERSON,
        supercategory=category.supercategory,
        is_group=category.category_id == _NO_ID,
        category_id=None if category.category_id == _NO_ID else category.category_id,
        reviewer=review.reviewer,
        when=review.time,
    )


def joined_labels(
    machine: Sequence[ExportLabel], reviewed: ReviewedFrame | None
) -> tuple[tuple[ExportLabel, ...], int]:
    """Return a person's labels and those of the machine that the person does not contradict.

    Args:
        machine: What the predictions say; labels of an adapted row that a person reviewed give
            way to the review itself.
        reviewed: What a person values, `None` of a frame that nobody looked at.

    Returns:
        The labels, and how many of the machine's were left out as contradicted.
    """
    if reviewed is None:
        return tuple(machine), 0
    of_machine = [label for label in machine if label.means != PERSON]
    kept = [label for label in of_machine if not reviewed.contradicts(label)]
    return (*reviewed.labels, *kept), len(of_machine) - len(kept)


def as_persons(label: ExportLabel) -> ExportLabel:
    """Return a label of a reviewed row as a person's, whose name nobody recorded."""
    return replace(label, means=PERSON, probability=None, word="")
