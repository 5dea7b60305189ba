"""A predictions file opened for review: its frames, its log of reviews, and earlier reviews."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from finding_nemo.adaptation.files.reviews import CategoryNames, Review, Reviews, read_reviews
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError, ReviewsError
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.datasets.fields.label_cells import Cell
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.reviewing.checked_reviews import check_review, machine_answer
from finding_nemo.reviewing.file_collection import NO_OPTIONS, FileCollection
from finding_nemo.reviewing.frame_collection import FrameCollection, PlacesOptions
from finding_nemo.reviewing.review_categories import ReviewCategories
from finding_nemo.reviewing.review_session import ReviewSession
from finding_nemo.reviewing.review_store import (
    NewReview,
    ReviewStore,
    default_store,
    open_store,
)


def open_review_session(
    predictions: Path,
    *,
    images: Path | None = None,
    store: Path | None = None,
    reviews: Path | None = None,
    dataset: Dataset | None = None,
    options: PlacesOptions = NO_OPTIONS,
    reviewer: str = "",
    reporter: Reporter | None = None,
) -> ReviewSession:
    """Open a predictions file for review; close the session when it is over.

    Args:
        predictions: Parquet, best with embeddings.
        images: The folder of the images; `None` takes the paths of the predictions.
        store: Where reviews are kept; default beside the predictions.
        reviews: A table of earlier reviews; those of frames that nobody reviewed here are taken.
        dataset: Where dive and time of each image are known, read from `options.data`.
        options: How the frames are placed.
        reviewer: Who reviews where nobody says.
        reporter: Told what is passed over and chosen, and progress.

    Raises:
        PredictionsError: If the predictions cannot be used.
        ReviewsError: If the table, or the file of kept reviews, cannot be used.
        OtherRunError: If another process has the kept reviews open.
        OutputError: If reviews cannot be kept there.
        DatasetError: If there is no such folder of images.
    """
    tell = reporter or Reporter()
    # Before the predictions are looked through, which takes seconds.
    table = None if reviews is None else read_reviews(reviews)
    collection = FileCollection(
        predictions, images=images, dataset=dataset, options=options, reporter=tell
    )
    about = {
        "predictions": collection.content_sha256,
        "bundle_hash": str(collection.metadata.get("bundle_hash", "")),
        "name": predictions.name,
    }
    kept = open_store(store or default_store(predictions), about)
    try:
        if table is not None:
            take_reviews(table, collection, kept, tell)
        return ReviewSession(collection, kept, reviewer=reviewer, reporter=tell)
    except BaseException:
        kept.close()
        raise


def take_reviews(
    table: Reviews, collection: FrameCollection, store: ReviewStore, reporter: Reporter
) -> int:
    """Keep the reviews of a table; return how many.

    A frame that has a review in the store already keeps that, whatever the table says: the same
    command can be given again.

    Args:
        table: As it was read.
        collection: The frames.
        store: Where they are kept.
        reporter: Told what is passed over.

    Raises:
        ReviewsError: If a review cannot be used, with its line.
        OutputError: If one cannot be written.
    """
    row_of = {name: row for row, name in enumerate(collection.columns.image_ids)}
    has_review = {review.statement.image_id for review in store.log}
    names = ReviewCategories(collection.categories, [review.statement for review in store.log])
    reader = _Reader(table, collection)
    notes = Notes()
    found = []
    for review in table.rows:
        row = row_of.get(review.image_id)
        if row is None:
            notes.add("reviewed frames are not among the predictions; passed over", review.image_id)
        elif not collection.columns.usable[row]:
            notes.add("reviewed frames could not be read; passed over", review.image_id)
        elif review.image_id in has_review:
            notes.add("frames of the table are reviewed here already", review.image_id)
        else:
            statement = reader.read(review, names)
            names.register((*statement.categories, *statement.rejected))
            found.append(replace(statement, machine=machine_answer(collection, row)))
    # All of the table is checked before any of it is kept.
    for statement in found:
        store.add(statement)
    for sentence in (*table.notices, *reader.notes.sentences(), *notes.sentences()):
        reporter.message(f"note: {sentence}")
    reporter.message(f"{len(found)} reviews taken from {table.path.name}")
    return len(found)


class _Reader:
    """Reads the cells of a table as `adapt` reads them."""

    def __init__(self, table: Reviews, collection: FrameCollection) -> None:
        self.notes = Notes()
        self._path = table.path
        self._table = CategoryTable(
            tuple(
                Category(int(c["category_id"]), str(c.get("name", "")), "")
                for c in collection.categories
            )
        )
        self._names = CategoryNames(self._table, self.notes)

    def read(self, review: Review, names: ReviewCategories) -> NewReview:
        """Return a review of the table as it is kept, without what the model had answered."""
        where = f"{self._path}, line {review.line}"
        try:
            return check_review(
                names,
                review.image_id,
                self._items(review.cell),
                self._items(review.rejected),
                is_complete=review.is_complete,
                reviewer=review.reviewer,
                time=review.time,
            )
        except (ReviewsError, AnnotationError) as error:
            raise ReviewsError(f"{where}: {str(error).rstrip('.')}.") from None

    def _items(self, cell: Cell) -> list[int | str]:
        """Return ids of the table's categories, and the names of new ones."""
        n_known = len(self._table)
        return [
            self._table.ids[column] if column < n_known else self._names.text_of(column)
            for column in self._names.columns(cell)
        ]
