"""A data set together with the frames that people reviewed, to train on both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from finding_nemo.adaptation.files.reviews import (
    Review,
    ReviewedLabels,
    Reviews,
    labels_of_reviews,
    read_reviews,
)
from finding_nemo.core.arrays import Bools
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError, ReviewsError
from finding_nemo.core.files.table_files import read_table
from finding_nemo.core.records import Dataset, DatasetSource, ImageRecord
from finding_nemo.core.text.cells import undefused
from finding_nemo.data.datasets.fields.category_columns import category_table, table_of_cells
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.datasets.fields.record_fields import record_from_row
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.images.find_images import ImageFinder
from finding_nemo.data.images.image_folder import ImageFolder, check_file_name
from finding_nemo.workflows.reviews.names_of_ids import in_terms_of, names_of_ids

# The group of a category that only reviews name, as data sets without groups have it.
_NO_GROUP = "none"
_PARTIAL = (
    "reviews are not complete, of frames that no data set labels; they are left out, because what "
    "they do not name may be there"
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reviewed frame is from, as its line says."""

    image: str
    dive: str


def add_reviews(base: Dataset | None, path: Path, *, images: Path | None = None) -> Dataset:
    """Return `base` with the reviews of a file: frames relabelled, frames added, new categories.

    A complete review says everything that is in a frame. One that is not complete changes the
    labels that the frame has: it adds what was seen and takes away what was rejected.

    Args:
        base: The data set; `None` for one of reviewed frames alone.
        path: The CSV, `id,categories[,complete][,rejected][,image][,dive]`.
        images: The folder of the reviewed frames; default: the CSV's own.

    Raises:
        ReviewsError: If the file cannot be used, or no review could be.
        DatasetNotFoundError: If `images` is no folder.
    """
    if images is not None and not images.is_dir():
        raise DatasetNotFoundError(f"The folder of reviewed frames {images} does not exist.")
    reviews = read_reviews(path)
    notes = Notes()
    if base is None:
        table = _table_of(reviews, notes)
    else:
        table = base.categories
        reviews = in_terms_of(reviews, table, notes)
    given = labels_of_reviews(reviews, [review.image_id for review in reviews.rows], table)
    table = with_new_names(table, given.new_names)
    known = {} if base is None else dict(base.by_id)
    n_before = len(known)
    finder = _FrameFinder(path, images, notes)
    changed = added = 0
    for review, present, sure in zip(reviews.rows, *_labels(given, table), strict=True):
        record = known.get(review.image_id)
        labels = new_labels(record, present, sure, table)
        if labels is None:
            notes.add(_PARTIAL, review.image_id)
        elif record is not None:
            known[review.image_id] = relabelled(record, labels)
            changed += 1
        elif (found := finder.record(review, labels)) is not None:
            known[review.image_id] = found
            added += 1
    if not changed + added:
        raise ReviewsError(
            f"No review of {path} could be used: {' '.join(notes.sentences()) or 'none is there.'}"
        )
    notices = (
        f"{path.name}: {changed:,} frames of the data set are labelled anew, and "
        f"{len(known) - n_before:,} reviewed frames are added.",
        *given.notices,
        *notes.sentences(),
    )
    if base is None:
        source = DatasetSource(path, reviews=path, review_images=images)
        return Dataset(path.parent, table, tuple(known.values()), notices, source)
    source = base.source or DatasetSource(base.root)
    return replace(
        base,
        categories=table,
        records=tuple(known.values()),
        notices=(*base.notices, *notices),
        source=replace(source, reviews=path, review_images=images),
    )


def _table_of(reviews: Reviews, notes: Notes) -> CategoryTable:
    """Return the categories that reviews name, where no data set does."""
    try:
        named, _ = table_of_cells([review.cell for review in reviews.rows], notes)
    except AnnotationError as error:
        raise ReviewsError(f"{reviews.path}: {error}.") from None
    if not named:
        raise ReviewsError(f"{reviews.path} names no category in its column 'categories'.")
    names = names_of_ids(reviews.path)
    table = category_table(named)
    return CategoryTable(
        tuple(
            replace(category, name=names.get(category.category_id, category.name))
            for category in table.categories
        )
    )


def with_new_names(table: CategoryTable, names: tuple[str, ...]) -> CategoryTable:
    """Return the table with a category for each new name behind the others, under new ids."""
    first = max(table.ids) + 1
    new = tuple(Category(first + k, name, _NO_GROUP) for k, name in enumerate(names))
    return CategoryTable((*table.categories, *new))


def _labels(given: ReviewedLabels, table: CategoryTable) -> tuple[Bools, Bools]:
    """Return what is there, and what is known to be there or not, (reviews, categories)."""
    order = np.argsort(given.labels.rows)
    width = len(table)
    return given.labels.present[order, :width], given.labels.known[order, :width]


def new_labels(
    record: ImageRecord | None, present: Bools, known: Bools, table: CategoryTable
) -> tuple[int, ...] | None:
    """Return the categories of a reviewed frame, ascending; `None` where too little is known.

    Args:
        record: What the data set says of the frame, if it has it.
        present: Whether each category was seen, shape (categories,).
        known: Whether that was looked for at all, shape (categories,).
        table: The categories.
    """
    before = None if record is None else record.category_ids
    if not known.all() and before is None:
        return None
    found = {table.ids[column] for column in np.flatnonzero(present)}
    unsaid = {table.ids[column] for column in np.flatnonzero(~known)}
    return tuple(sorted(found | (set(before or ()) & unsaid)))


def relabelled(record: ImageRecord, category_ids: tuple[int, ...]) -> ImageRecord:
    """Return a record with other labels; boxes of what is not there any more go."""
    boxes = tuple(box for box in record.boxes if box.category_id in category_ids)
    return replace(record, category_ids=category_ids, boxes=boxes)


class _FrameFinder:
    """Records of reviewed frames that the data set lacks."""

    def __init__(self, path: Path, images: Path | None, notes: Notes) -> None:
        self._path = path
        self._notes = notes
        self._places = _read_places(path)
        self._folder = ImageFolder(images or path.parent)
        self._images = images
        self._below: ImageFinder | None = None

    def record(self, review: Review, category_ids: tuple[int, ...]) -> ImageRecord | None:
        """Return the record of a frame; `None`, noted, where its file is not found."""
        place = self._places[review.line]
        name, file = self._locate(review.image_id, place.image)
        if file is None:
            self._notes.add(
                "reviewed frames are not found and left out; "
                + (
                    f"looked for in {self._images} and all folders in it"
                    if self._images
                    else "name their folder with --review-images"
                ),
                place.image or review.image_id,
            )
            return None
        if not place.dive:
            self._notes.add(
                "reviewed frames say no dive of their own (column dive); the name of the file may",
                review.image_id,
            )
        return record_from_row(
            {"dive": place.dive},
            review.image_id,
            path=file,
            name=name,
            category_ids=category_ids,
            origin=self._path.stem,
            pattern=None,
            notes=self._notes,
        )

    def _locate(self, image_id: str, image: str) -> tuple[str, Path | None]:
        """Return the name of a frame and its file: as written, by its last parts, or by its id.

        Folders in front go first, because `frames/a/1.png` was named from beside `frames/`. A file
        that lies elsewhere below the folder that a person named counts last, as on the pages.
        """
        parts = PurePosixPath(slashed(image)).parts
        ends = ["/".join(parts[start:]) for start in range(len(parts))]
        for name in dict.fromkeys(part for part in (image, *ends) if part):
            try:
                found = self._folder.locate(check_file_name(name))
            except AnnotationError:
                continue  # a path outside of the folder; its last part is looked for within
            if found.is_file():
                return name, found
        try:
            by_id = self._folder.locate_id(check_file_name(image_id))
        except AnnotationError:
            return image or image_id, None
        found_by_id = by_id if by_id.is_file() else self._elsewhere(image, image_id)
        return image or image_id, found_by_id

    def _elsewhere(self, image: str, image_id: str) -> Path | None:
        """Return the frame's file in any folder of the one that was named, if one fits."""
        if self._images is None:
            return None
        self._below = self._below or ImageFinder(self._images)
        return self._below.file_of(image, image_id)


def _read_places(path: Path) -> Mapping[int, _Place]:
    """Return by line where each reviewed frame is from, as far as the file has such columns."""
    table = read_table(path, required=("id", "categories"), refusal=ReviewsError)
    return {
        row.line: _Place(
            undefused(row.values.get("image", "")).strip(),
            undefused(row.values.get("dive", "")).strip(),
        )
        for row in table.rows
    }
