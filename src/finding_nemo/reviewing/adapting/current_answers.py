"""The answer to each frame as it is now, and lists of frames by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from finding_nemo.adaptation.files.adapted_answers import FrameAnswers, answer_frames, answer_seen
from finding_nemo.core.arrays import Bools, Float32s, Ints
from finding_nemo.reviewing.adapting.dive_in_review import AdaptedPart, DiveInReview
from finding_nemo.reviewing.frame_collection import FrameColumns
from finding_nemo.reviewing.review_objects import FrameRow, Method, State

Order = Literal["time", "unusual", "unsure", "review"]
_METHODS: tuple[Method, ...] = ("machine", "propagated", "human")
MACHINE, PROPAGATED, HUMAN = range(3)


@dataclass(frozen=True, kw_only=True)
class FrameFilter:
    """Which frames of a collection are wanted; `None` and "" want all.

    Attributes:
        dive: Of one dive.
        category: With this category as their first guess.
        state: "unreviewed", "reviewed" or "failed".
        unusual_from: At least so unusual, in [0, 1].
    """

    dive: str | None = None
    category: int | None = None
    state: State | None = None
    unusual_from: float | None = None


class CurrentAnswers:
    """What is answered to each frame now: by the network, by other reviews, or by a person.

    Attributes:
        texts: As in `FrameColumns.answers`.
        confidences: The same.
        probabilities: The same, shape (frames,).
        first_ids: The same.
        methods: `MACHINE`, `PROPAGATED` or `HUMAN`, shape (frames,).
        reviews: Number of the review that counts of each frame, 0 where there is none, (frames,).
    """

    def __init__(self, columns: FrameColumns) -> None:
        """Begin with what the network answered."""
        self._columns = columns
        self.texts = list(columns.answers)
        self.confidences = list(columns.confidences)
        self.probabilities = columns.probabilities.copy()
        self.first_ids = columns.first_ids.copy()
        self.methods: Ints = np.full(len(columns), MACHINE, dtype=np.int64)
        self.reviews: Ints = np.zeros(len(columns), dtype=np.int64)

    def take_back(self, rows: Ints) -> int:
        """Answer to some frames as the network did; return how many answers changed."""
        columns = self._columns
        found = FrameAnswers(
            texts=[columns.answers[row] or "" for row in rows.tolist()],
            confidences=[columns.confidences[row] or "" for row in rows.tolist()],
            probabilities=columns.probabilities[rows],
            first_ids=columns.first_ids[rows],
            levels=[],
            reasons=[],
        )
        changed = self._put(rows, found, MACHINE)
        for row in rows.tolist():  # what was missing is missing again
            self.texts[row] = columns.answers[row]
            self.confidences[row] = columns.confidences[row]
        return changed

    def adapt(
        self, dive: DiveInReview, part: AdaptedPart, categories: Sequence[Mapping[str, Any]]
    ) -> int:
        """Answer to some frames of a dive by its reviews; return how many answers changed."""
        labels = dive.labels
        complete = labels.is_complete
        at = np.full(len(dive), -1, dtype=np.int64)
        at[labels.rows[complete]] = np.flatnonzero(complete)
        statement = at[part.positions]
        rows = dive.rows[part.positions]
        is_usable = self._columns.usable[rows]
        seen, others = np.flatnonzero(statement >= 0), np.flatnonzero((statement < 0) & is_usable)
        changed = 0
        if others.size:
            found = answer_frames(part.values[others], categories)
            changed += self._put(rows[others], found, PROPAGATED)
        if seen.size:
            found = answer_seen(labels.present[statement[seen]], part.values[seen], categories)
            changed += self._put(rows[seen], found, HUMAN)
        return changed

    def _put(self, rows: Ints, found: FrameAnswers, method: int) -> int:
        changed = 0
        for row, text, confidence in zip(
            rows.tolist(), found.texts, found.confidences, strict=True
        ):
            changed += (self.texts[row] or "") != text
            self.texts[row], self.confidences[row] = text, confidence
        self.probabilities[rows] = found.probabilities
        self.first_ids[rows] = found.first_ids
        self.methods[rows] = method
        return changed

    def row_of(self, row: int) -> FrameRow:
        """Return a frame as a list shows it."""
        columns = self._columns
        failure = columns.failures[row]
        return FrameRow(
            row=row,
            id=columns.image_ids[row],
            dive=columns.places.dives[row],
            answer=None if failure is not None else self.texts[row],
            confidence=self.confidences[row],
            probability=_number(self.probabilities[row]),
            unusual=_number(columns.unusual[row]),
            state=self._state(row),
            method=_METHODS[int(self.methods[row])],
            failure=failure if failure is not None or columns.usable[row] else _UNUSABLE,
        )

    def _state(self, row: int) -> State:
        if not self._columns.usable[row]:
            return "failed"
        return "reviewed" if self.reviews[row] else "unreviewed"

    def select(self, wanted: FrameFilter, rows: Ints, order: Order) -> Ints:
        """Return the rows that are wanted, in order.

        Args:
            wanted: Which ones.
            rows: Of the dive that is wanted, or all.
            order: "time" is that of the file; "unusual" and "unsure" begin with the most unusual
                and the least sure frame, "review" with those that are both: they are worth a look.
        """
        kept = rows[self._is_wanted(wanted, rows)]
        if order == "time":
            return kept
        unusual = np.nan_to_num(self._columns.unusual[kept], nan=0.0)
        # What failed, or a person saw to be empty, has no probability: it comes last.
        sure = np.nan_to_num(self.probabilities[kept], nan=2.0)
        keys: dict[Order, Float32s] = {
            "unusual": -unusual,
            "unsure": sure,
            "review": sure - unusual + 3.0 * (self.reviews[kept] > 0),
        }
        chosen: Ints = kept[np.argsort(keys[order], kind="stable")]
        return chosen

    def _is_wanted(self, wanted: FrameFilter, rows: Ints) -> Bools:
        found = np.ones(len(rows), dtype=np.bool_)
        usable, is_reviewed = self._columns.usable[rows], self.reviews[rows] > 0
        if wanted.category is not None:
            found &= self.first_ids[rows] == wanted.category
        if wanted.state == "failed":
            found &= ~usable
        elif wanted.state is not None:
            found &= usable & (is_reviewed == (wanted.state == "reviewed"))
        if wanted.unusual_from is not None:
            with np.errstate(invalid="ignore"):
                found &= self._columns.unusual[rows] >= np.float32(wanted.unusual_from)
        return found


_UNUSABLE = "holds no probabilities or no embedding"


def _number(value: np.floating) -> float | None:
    return None if np.isnan(value) else float(value)
