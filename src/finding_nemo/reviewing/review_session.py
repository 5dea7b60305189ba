"""A collection of frames and the reviews of it: everything that a page or a program asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.shrunk_settings import NUMBERS, settings_of_metadata
from finding_nemo.core.errors import FrameFailedError, NoSuchFrameError, ReviewsError
from finding_nemo.core.records import Prediction
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.cells import quoted
from finding_nemo.reviewing.adapting.adapted_collection import AdaptedCollection
from finding_nemo.reviewing.adapting.current_answers import FrameFilter, Order
from finding_nemo.reviewing.checked_reviews import check_review, machine_answer, shown_review
from finding_nemo.reviewing.frame_collection import FrameCollection, FrameFile
from finding_nemo.reviewing.frame_details import describe_frame, map_category_ids
from finding_nemo.reviewing.live_collection import LiveCollection
from finding_nemo.reviewing.review_categories import ReviewCategories
from finding_nemo.reviewing.review_objects import (
    AnimalRow,
    DiveList,
    FrameDetail,
    FramePage,
    FrameReview,
    FrameRow,
    Named,
    Reviewed,
    SuggestedFrame,
    Undone,
)
from finding_nemo.reviewing.review_store import ReviewStore, StoredReview

MAX_PAGE = 500
MAX_SUGGESTED = 200

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _one_at_a_time(
    method: Callable[Concatenate[ReviewSession, Arguments], Result],
) -> Callable[Concatenate[ReviewSession, Arguments], Result]:
    """Let one thread at a time into a session."""

    @wraps(method)
    def locked(
        session: ReviewSession, /, *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        with session.lock:
            return method(session, *arguments, **named)

    return locked


class ReviewSession:
    """Reviews of a collection, each turned at once into better answers for the rest of its dive.

    Attributes:
        collection: The frames.
        store: Where the reviews are kept.
        lock: Held by each method; threads may share a session.
        reviewer: Who reviews where nobody says.
        n_passed_over: Kept reviews of frames that the collection does not have or that failed.
    """

    def __init__(
        self,
        collection: FrameCollection,
        store: ReviewStore,
        *,
        reviewer: str = "",
        settings: AdaptationSettings | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        """Go on from what the store holds.

        Args:
            collection: The frames.
            store: Of this collection.
            reviewer: Who reviews where nobody says.
            settings: All numbers of the adaptation; default those that the predictions bring.
            reporter: Told what is chosen, and progress.
        """
        self.collection = collection
        self.store = store
        self.lock = RLock()
        self.reviewer = reviewer
        self._names = ReviewCategories(collection.categories, [r.statement for r in store.log])
        self._reporter = reporter or Reporter()
        numbers = settings_of_metadata(collection.metadata)
        self._settings = settings or self._reporter.announce(NUMBERS, numbers)
        self._suggested: dict[int, str] = {}
        self._begin()
        self._adapted.refresh()

    def _begin(self) -> None:
        """Lay the reviews that count beside the frames that are there now."""
        ids = self.collection.columns.image_ids
        self._row_of = {name: row for row, name in enumerate(ids)}
        self._adapted = AdaptedCollection(self.collection, self._settings, self._reporter)
        self._standing: dict[int, StoredReview] = {}
        self._read_standing()
        for row, review in self._standing.items():
            self._adapted.put(row, review.statement)

    def _read_standing(self) -> None:
        """Take from the log what counts now."""
        standing = self.store.standing().values()
        usable = self.collection.columns.usable
        rows = [(self._row_of.get(review.statement.image_id, -1), review) for review in standing]
        self._standing = {row: review for row, review in rows if row >= 0 and usable[row]}
        self.n_passed_over = len(rows) - len(self._standing)
        self._adapted.answers.reviews[:] = 0
        for row, review in self._standing.items():
            self._adapted.answers.reviews[row] = review.number
        statement = [review.statement for review in self._standing.values()]
        self._adapted.set_categories(self._names.entries(statement))

    @property
    def categories(self) -> Sequence[Mapping[str, Any]]:
        """The category table, JSON-ready, with the new ones that reviews hold behind it."""
        return self._adapted.categories

    @property
    def names(self) -> ReviewCategories:
        """What names and ids stand for."""
        return self._names

    @_one_at_a_time
    def review(
        self,
        row: int,
        categories: Sequence[int | str],
        *,
        rejected: Sequence[int | str] = (),
        is_complete: bool = True,
        reviewer: str | None = None,
    ) -> Reviewed:
        """Keep a review, and adapt the dive; it is on the disk when this returns.

        Args:
            row: The frame.
            categories: What is there, ids of the table or any names; nothing of a complete review
                means that nothing is there.
            rejected: What was looked for and is not there.
            is_complete: Whether all that is there is named.
            reviewer: Who looked; default the session's.

        Raises:
            NoSuchFrameError: If there is no such frame.
            FrameFailedError: If it could not be read when it was predicted.
            ReviewsError: If a category is unknown, or the review says nothing or contradicts
                itself.
            OutputError: If it cannot be written; then it does not count.
        """
        started = time.perf_counter()
        self._check_row(row)
        self._refuse_failed(row)
        statement = check_review(
            self._names,
            self.collection.columns.image_ids[row],
            categories,
            rejected,
            is_complete=is_complete,
            reviewer=self.reviewer if reviewer is None else reviewer,
            machine=machine_answer(self.collection, row),
        )
        kept = self.store.add(statement)
        new = self._names.register((*statement.categories, *statement.rejected))
        changed = self._take_in(row)
        return Reviewed(
            review=shown_review(row, kept),
            dive=self._adapted.row(self._adapted.dive_of(row)),
            overall=self._adapted.overall(),
            changed=changed,
            seconds=time.perf_counter() - started,
            new_categories=[Named(id=c.category_id, name=c.name) for c in new],
        )

    @_one_at_a_time
    def add_frames(self, frames: Sequence[tuple[str, Path, Prediction]]) -> list[FrameRow]:
        """Add frames to a collection that grows, and return them as a list shows them.

        Args:
            frames: The client's name of each, the file that shows it, and what is said of it.

        Raises:
            ReviewsError: If the frames are those of a finished file.
            OutputError: If they cannot be kept.
        """
        if not isinstance(self.collection, LiveCollection):
            raise ReviewsError("The frames of a finished file are all there; none can be added.")
        rows = self.collection.append(frames)
        self._begin()
        return [self._adapted.answers.row_of(row) for row in rows.tolist()]

    @_one_at_a_time
    def undo(self, reviewer: str | None = None) -> Undone:
        """Take back the latest review that counts, and adapt its dive.

        Args:
            reviewer: Only a review by this person.

        Raises:
            OutputError: If it cannot be written.
        """
        undone = self.store.undo(reviewer)
        if undone is None:
            return Undone(undone=None, now=None, dive=None)
        row = self._row_of.get(undone.statement.image_id, -1)
        if row < 0:
            self._read_standing()
            return Undone(undone=shown_review(row, undone), now=None, dive=None)
        self._take_in(row)
        now = self._standing.get(row)
        return Undone(
            undone=shown_review(row, undone),
            now=None if now is None else shown_review(row, now),
            dive=self._adapted.row(self._adapted.dive_of(row)),
        )

    @_one_at_a_time
    def reviews(self) -> list[FrameReview]:
        """Return the reviews that count, by time."""
        return [shown_review(row, review) for row, review in self._standing.items()]

    @_one_at_a_time
    def frames(
        self,
        wanted: FrameFilter | None = None,
        *,
        offset: int = 0,
        limit: int = 200,
        order: Order = "time",
    ) -> FramePage:
        """Return some frames of a list.

        Args:
            wanted: Which frames; default all.
            offset: How many to pass over.
            limit: How many at most, up to 500.
            order: As `CurrentAnswers.select` takes it.

        Raises:
            NoSuchFrameError: If there is no dive of that name.
        """
        chosen = wanted or FrameFilter()
        self._adapted.refresh(None if chosen.dive is None else [chosen.dive])
        if chosen.dive is None:
            rows = np.arange(len(self.collection.columns))
        else:
            rows = self._adapted.rows_of(chosen.dive)
        found = self._adapted.answers.select(chosen, rows, order)
        page = found[max(offset, 0) :][: min(limit, MAX_PAGE)]
        frames = [self._adapted.answers.row_of(row) for row in page.tolist()]
        return FramePage(total=len(found), frames=frames)

    @_one_at_a_time
    def frame(self, row: int) -> FrameDetail:
        """Return all that is known of a frame.

        Raises:
            NoSuchFrameError: If there is no such frame.
        """
        self._check_row(row)
        name = self._adapted.dive_of(row)
        dive = self._adapted.dive(name) if self._adapted.is_reviewed(name) else None
        review = self._standing.get(row)
        return describe_frame(
            self.collection,
            self._adapted.answers.row_of(row),
            dive=dive,
            categories=self.categories,
            review=None if review is None else shown_review(row, review),
            suggested_why=self._suggested.get(row),
        )

    @_one_at_a_time
    def map_of(self, row: int, category_id: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return where in a frame a category is seen, uint8 (rows, columns).

        Raises:
            NoSuchFrameError: If there is no such frame or map.
        """
        self._check_row(row)
        maps = self.collection.maps(row)
        ids = map_category_ids(self.collection.values(row), maps)
        if maps is None or category_id not in ids:
            raise NoSuchFrameError(
                f"Frame {row} has no map of category {category_id}. Maps are of its first guesses "
                "only, where it was predicted with maps."
            )
        found: np.ndarray[Any, np.dtype[np.uint8]] = maps[ids.index(category_id)]
        return found

    @_one_at_a_time
    def image_of(self, row: int) -> FrameFile:
        """Return where the image of a frame is.

        Raises:
            NoSuchFrameError: If there is no such frame, or its file is not found.
        """
        self._check_row(row)
        found = self.collection.image_of(row)
        if found is None:
            raise NoSuchFrameError(
                f"The image of frame {row} was not found. Start the server with --images and the "
                "folder of the images."
            )
        return found

    @_one_at_a_time
    def dives(self) -> DiveList:
        """Return all dives, and where the collection stands."""
        rows = self._adapted.all_rows()
        usable = self.collection.columns.usable
        return DiveList(
            dives=rows,
            overall=self._adapted.overall(),
            n_frames=len(usable),
            n_reviewed=len(self._standing),
            n_failed=int((~usable).sum()),
        )

    @_one_at_a_time
    def animals(self) -> list[AnimalRow]:
        """Return the categories that are any frame's first guess, the most frequent first."""
        self._adapted.refresh()
        answers = self._adapted.answers
        usable = self.collection.columns.usable
        found = []
        for entry in self.categories:
            number = int(entry["category_id"])
            own = usable & (answers.first_ids == number)
            if own.any():
                found.append(
                    AnimalRow(
                        id=number,
                        name=str(entry.get("name", "")),
                        supercategory=str(entry.get("supercategory", "none")),
                        n_frames=int(own.sum()),
                        n_reviewed=int((own & (answers.reviews > 0)).sum()),
                    )
                )
        return sorted(found, key=lambda animal: (-animal.n_frames, animal.name))

    @_one_at_a_time
    def suggest(
        self, dive: str | None = None, *, count: int = 1, skip: Sequence[int] = ()
    ) -> list[SuggestedFrame]:
        """Return the frames to look at next.

        Args:
            dive: Of which dive; `None` takes them where most is unknown.
            count: How many, up to 200.
            skip: Rows that are not wanted.

        Raises:
            NoSuchFrameError: If there is no such dive or frame.
        """
        for row in skip:
            self._check_row(row)
        found = self._adapted.suggest(dive, min(max(count, 1), MAX_SUGGESTED), skip)
        self._suggested.update({frame.row: frame.why for frame in found})
        return found

    def close(self) -> None:
        """Close the store."""
        with self.lock:
            self.store.close()

    def _take_in(self, row: int) -> int:
        """Let what the store says of a frame count; return how many answers changed."""
        self._read_standing()
        review = self._standing.get(row)
        self._adapted.put(row, None if review is None else review.statement)
        return self._adapted.refresh([self._adapted.dive_of(row)])

    def _check_row(self, row: int) -> None:
        if not 0 <= row < len(self.collection.columns):
            raise NoSuchFrameError(
                f"There is no frame {row}; there are {len(self.collection.columns)}, from 0. "
                "Take the number from the list of frames."
            )

    def _refuse_failed(self, row: int) -> None:
        if not self.collection.columns.usable[row]:
            failure = self._adapted.answers.row_of(row).failure
            raise FrameFailedError(
                f"Frame {quoted(self.collection.columns.image_ids[row])} {failure}, so it cannot "
                "be reviewed. Choose another frame."
            )
