"""All dives of a collection while they are reviewed: each adapted when its reviews change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from finding_nemo.adaptation.adapt_dive import choose_by_errors
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.files.dives_of_file import rows_by_dive
from finding_nemo.adaptation.label_regression import DiveLabels
from finding_nemo.adaptation.rest_quality import RestQuality, frames_to_reach, pool_quality
from finding_nemo.adaptation.suggest_frames import TARGETS, why
from finding_nemo.core.arrays import Ints
from finding_nemo.core.choice import Choice
from finding_nemo.core.errors import NoSuchFrameError
from finding_nemo.core.malloc import give_memory_back
from finding_nemo.core.reporter import Reporter
from finding_nemo.reviewing.adapting.current_answers import CurrentAnswers
from finding_nemo.reviewing.adapting.dive_in_review import DiveInReview, labels_by_position
from finding_nemo.reviewing.frame_collection import FrameCollection
from finding_nemo.reviewing.review_objects import DiveRow, Quality, SuggestedFrame, Target
from finding_nemo.reviewing.review_store import NewReview

# Landmarks of a dive with what they share are 7 MB.
_KEPT_LANDMARKS = 3


class AdaptedCollection:
    """The dives of a collection with the reviews that count.

    A dive whose own reviews changed is adapted at once. What changes in others by that (a new
    category, or whether clip and time mislead) is computed when somebody looks at them.

    Attributes:
        answers: The answer to each frame now.
        categories: The category table, JSON-ready, new ones behind.
    """

    def __init__(
        self, collection: FrameCollection, settings: AdaptationSettings, reporter: Reporter
    ) -> None:
        """Begin without reviews.

        Args:
            collection: The frames.
            settings: All numbers of the adaptation.
            reporter: Told what is chosen, and progress.
        """
        self._collection = collection
        self._settings = settings
        self._reporter = reporter
        self.answers = CurrentAnswers(collection.columns)
        self.categories: Sequence[Mapping[str, Any]] = collection.categories
        self._rows = rows_by_dive(collection.columns.places.dives)
        self._said: dict[str, dict[int, NewReview]] = {}
        self._dives: OrderedDict[str, DiveInReview] = OrderedDict()
        self._missed: dict[str, tuple[float, float]] = {}
        self._stale: set[str] = set()
        self._places: Choice[bool] = choose_by_errors([], 0)

    def put(self, row: int, statement: NewReview | None) -> None:
        """Let a review of a frame count, or none; its dive is stale then.

        Args:
            row: The frame.
            statement: The review.
        """
        name = self.dive_of(row)
        reviews = self._said.setdefault(name, {})
        if statement is None:
            reviews.pop(row, None)
        else:
            reviews[row] = statement
        self._missed.pop(name, None)
        self._stale.add(name)

    def set_categories(self, categories: Sequence[Mapping[str, Any]]) -> None:
        """Take another category table; every reviewed dive is stale if it changed."""
        if list(categories) != list(self.categories):
            self.categories = categories
            self._stale.update(name for name, statement in self._said.items() if statement)

    def refresh(self, names: Iterable[str] | None = None) -> int:
        """Adapt what is stale; return how many frames have another answer.

        Args:
            names: Of dives that are asked for; default all.
        """
        if not self._stale:
            return 0
        self._choose_places()
        wanted = sorted(self._stale if names is None else self._stale & set(names))
        changed = 0
        with self._reporter.progress("dives adapted", unit="dives") as show:
            for number, name in enumerate(wanted, start=1):
                changed += self._adapt(name)
                # Each thread of a server would keep what it freed.
                give_memory_back()
                if len(wanted) > 1:
                    show(number, len(wanted))
        return changed

    def dive_of(self, row: int) -> str:
        """Return the name of a frame's dive."""
        return self._collection.columns.places.dives[row]

    def rows_of(self, name: str) -> Ints:
        """Return the frames of a dive.

        Raises:
            NoSuchFrameError: If there is no dive of that name.
        """
        if name not in self._rows:
            raise NoSuchFrameError(f"There is no dive {name!r}. Choose one of the list of dives.")
        return self._rows[name]

    def dive(self, name: str) -> DiveInReview:
        """Return a dive, adapted."""
        self.refresh([name])
        return self._opened(name)

    def is_reviewed(self, name: str) -> bool:
        """Whether anybody looked at a frame of a dive."""
        return bool(self._said.get(name))

    def row(self, name: str) -> DiveRow:
        """Return a dive as a list shows it."""
        rows = self._rows[name]
        n_reviewed = len(self._said.get(name, ()))
        quality = self._dives[name].quality if name in self._dives and n_reviewed else None
        parts = [] if quality is None else [(quality, n_reviewed)]
        return DiveRow(
            name=name,
            n_frames=len(rows),
            n_readable=int(self._collection.columns.usable[rows].sum()),
            n_reviewed=n_reviewed,
            quality=self._quality(parts),
        )

    def all_rows(self) -> list[DiveRow]:
        """Return all dives, adapted, in the order of their first frames."""
        self.refresh()
        return [self.row(name) for name in self._rows]

    def overall(self) -> Quality | None:
        """Return how good the rest of all reviewed dives is, as far as it was computed."""
        parts = [
            (dive.quality, len(self._said[name]))
            for name, dive in self._dives.items()
            if self._said.get(name) and dive.quality is not None
        ]
        return self._quality(parts)

    def suggest(self, name: str | None, count: int, skip: Sequence[int]) -> list[SuggestedFrame]:
        """Return the frames to look at next.

        Args:
            name: Of the dive; `None` takes them where most is unknown.
            count: How many.
            skip: Rows that are not wanted.

        Raises:
            NoSuchFrameError: If there is no dive of that name.
        """
        shares = {name: count} if name is not None else self._shares(count, skip)
        found = []
        for dive_name, share in shares.items():
            rows = self.rows_of(dive_name)
            dive = self.dive(dive_name)
            closed = np.flatnonzero(np.isin(rows, np.array(skip, dtype=np.int64)))
            found += [(frame, dive_name) for frame in dive.choose(share, closed)]
        give_memory_back()
        found.sort(key=lambda pair: -pair[0].gain)
        return [
            SuggestedFrame(
                row=int(self._rows[dive_name][frame.row]),
                id=self._collection.columns.image_ids[int(self._rows[dive_name][frame.row])],
                dive=dive_name,
                rank=rank,
                why=why(frame),
            )
            for rank, (frame, dive_name) in enumerate(found, start=1)
        ]

    def _shares(self, count: int, skip: Sequence[int]) -> dict[str, int]:
        """Return how many frames to ask for of each dive: always one more where most is unknown.

        What is unknown of a dive is the doubt of all its answers, and falls with each frame that
        is looked at.
        """
        columns, answers = self._collection.columns, self.answers
        is_open = columns.usable & (answers.reviews == 0)
        is_open[np.array(skip, dtype=np.int64)] = False
        doubt = np.where(is_open, 1.0 - np.nan_to_num(answers.probabilities), 0.0)
        names = list(self._rows)
        unknown = np.array([doubt[rows].sum() for rows in self._rows.values()])
        left = np.array([is_open[rows].sum() for rows in self._rows.values()])
        looked = np.array([len(self._said.get(name, ())) for name in names])
        taken = np.zeros(len(names), dtype=np.int64)
        for _ in range(min(count, int(left.sum()))):
            need = np.where(taken < left, unknown / (1.0 + looked + taken), -1.0)
            taken[int(need.argmax())] += 1
        return {name: int(taken[at]) for at, name in enumerate(names) if taken[at]}

    def _opened(self, name: str) -> DiveInReview:
        if name not in self._dives:
            rows = self.rows_of(name)
            self._dives[name] = DiveInReview(self._collection, rows, self._settings)
        self._dives.move_to_end(name)
        for other in list(self._dives)[:-_KEPT_LANDMARKS]:
            self._dives[other].drop_landmarks()
        return self._dives[name]

    def _choose_places(self) -> None:
        counted = [name for name, statement in self._said.items() if len(statement) > 1]
        for name in counted:
            if name not in self._missed:
                self._missed[name] = self._opened(name).missed_by_places(self._labels(name))
        n_reviewed = sum(len(self._said[name]) for name in counted)
        chosen = choose_by_errors([self._missed[name] for name in counted], n_reviewed)
        if chosen.value != self._places.value:
            self._reporter.announce("clip and time", chosen)
            self._stale.update(name for name, statement in self._said.items() if statement)
        self._places = chosen

    def _labels(self, name: str) -> DiveLabels:
        columns = {int(c["category_id"]): at for at, c in enumerate(self.categories)}
        statement = {
            row: (
                np.array([columns[c.category_id] for c in review.categories], dtype=np.int64),
                np.array([columns[c.category_id] for c in review.rejected], dtype=np.int64),
                review.is_complete,
            )
            for row, review in self._said[name].items()
        }
        return labels_by_position(self._rows[name], statement, len(columns))

    def _adapt(self, name: str) -> int:
        dive = self._opened(name)
        if not self._said.get(name):
            dive.forget()
            self._stale.discard(name)
            return self.answers.take_back(dive.rows)
        parts = dive.adapt(self._labels(name), with_places=self._places.value)
        changed = sum(self.answers.adapt(dive, part, self.categories) for part in parts)
        self._stale.discard(name)
        return changed

    def _quality(self, parts: Sequence[tuple[RestQuality, int]]) -> Quality | None:
        pooled = pool_quality([quality for quality, _ in parts])
        if pooled is None:
            return None
        targets = [
            Target(value=value, more_frames=frames_to_reach(value, parts, self._settings.quality))
            for value in TARGETS
        ]
        return Quality(
            value=pooled.map_at_20,
            low=pooled.interval.low,
            high=pooled.interval.high,
            to_reach=targets,
        )
