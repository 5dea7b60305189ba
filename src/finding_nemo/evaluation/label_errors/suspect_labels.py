"""What is said of a doubtful label: the suggestion, the reason, and a frame to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s, Ints
from finding_nemo.core.categories import CategoryTable
from finding_nemo.evaluation.label_errors.dive_neighbors import NOBODY, DiveNeighbors
from finding_nemo.evaluation.label_errors.labelled_frames import LabelledFrames

Kind = Literal["wrong", "missing"]
# A name is suggested, or called missing, where it is more probable than not.
_PROBABLE = 0.5


@dataclass(frozen=True, kw_only=True)
class SuspectLabel:
    """A label that should be looked at.

    Attributes:
        rank: From 1, the most doubtful of its kind first.
        kind: "wrong" (given, but likely not there) or "missing" (there, but not given).
        image_id: The frame.
        dive: Its dive, or its folder.
        category: The name of the label.
        category_id: Its id.
        score: How probable the label is by the frames of its own dive, in [0, 1].
        other_score: How probable by other clips and other dives, in [0, 1]; `None` where there
            are none.
        is_likely: Whether it counts as an error by the thresholds of confident learning; the
            others are the next in order.
        suggestion: The name to take instead, or to add; "" where none is probable.
        why: The reason in words.
        compare_with: The image of the frame that speaks most against the label; "" if there is
            none.
    """

    rank: int
    kind: Kind
    image_id: str
    dive: str
    category: str
    category_id: int
    score: float
    other_score: float | None
    is_likely: bool
    suggestion: str
    why: str
    compare_with: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for each label, without the label itself.

    Attributes:
        near: By the most similar frames of the own dive, shape (frames, categories).
        far: By other clips of the dive and by other dives, same shape; `None` if there are none.
        neighbors: The most similar frames of the own dive.
        likely: Likely errors by `near`, same shape.
    """

    near: Float64s
    far: Float64s | None
    neighbors: DiveNeighbors
    likely: Bools


class Describer:
    """Makes suspect labels of rows and columns."""

    def __init__(
        self, frames: LabelledFrames, categories: CategoryTable, evidence: Evidence
    ) -> None:
        """Describe labels of `frames` by `evidence`."""
        self._frames, self._evidence = frames, evidence
        self._names, self._ids = categories.names, categories.ids

    def describe(self, kind: Kind, rows: Ints, columns: Ints) -> Iterator[SuspectLabel]:
        """Yield one a row and column, in order."""
        cells = zip(rows.tolist(), columns.tolist(), strict=True)
        for rank, (row, column) in enumerate(cells, start=1):
            yield self._one(rank, kind, row, column)

    def _one(self, rank: int, kind: Kind, row: int, column: int) -> SuspectLabel:
        found, record = self._evidence, self._frames.records[row]
        near = self._neighbors_of(row)
        has = self._frames.labels[near, column]
        against = near[~has] if kind == "wrong" else near[has]
        far = None if found.far is None else float(found.far[row, column])
        return SuspectLabel(
            rank=rank,
            kind=kind,
            image_id=record.image_id,
            dive=self._frames.dive_names[row],
            category=self._names[column],
            category_id=self._ids[column],
            score=float(found.near[row, column]),
            other_score=far,
            is_likely=bool(found.likely[row, column]),
            suggestion=self._suggested(row) if kind == "wrong" else self._names[column],
            why=why_doubtful(kind, (len(near), int(has.sum())), far),
            compare_with=self._frames.records[int(against[0])].image_id if len(against) else "",
        )

    def _neighbors_of(self, row: int) -> Ints:
        rows = self._evidence.neighbors.rows[row]
        found: Ints = rows[rows != NOBODY]
        return found

    def _suggested(self, row: int) -> str:
        """Return the most probable category that is not given, "" where none is probable."""
        for values in (self._evidence.near, self._evidence.far):
            if values is None:
                continue
            absent = np.where(self._frames.labels[row], 0.0, values[row])
            if absent.max(initial=0.0) >= _PROBABLE:
                return self._names[int(absent.argmax())]
        return ""


def why_doubtful(kind: Kind, counts: tuple[int, int], far_score: float | None) -> str:
    """Return what both kinds of evidence say of a label, what speaks against it first.

    Args:
        kind: What the label is thought to be.
        counts: The most similar frames of the own dive, and how many of them have it.
        far_score: How probable it is by other clips and dives; `None` without these.
    """
    n_near, n_with = counts
    reasons = []
    if n_near:
        has = "has" if n_with == 1 else "have"
        reasons.append(f"{n_with} of the {n_near} most similar frames of its dive {has} it")
    if far_score is not None and (far_score < _PROBABLE) == (kind == "wrong"):
        has = "do not have it" if kind == "wrong" else "have it"
        reasons.append(f"similar frames of other clips and other dives {has}")
        if (2 * n_with < n_near) != (kind == "wrong"):
            reasons.reverse()
    return "; ".join(reasons) or "nothing like it has this label"


def probable_missing(evidence: Evidence, rows: Ints, columns: Ints) -> Bools:
    """Return which labels that are not given are more probable than not by any evidence."""
    found: Bools = evidence.near[rows, columns] >= _PROBABLE
    if evidence.far is not None:
        found = found | (evidence.far[rows, columns] >= _PROBABLE)
    return found


def without_suggested(
    missing: Sequence[SuspectLabel], wrong: Sequence[SuspectLabel]
) -> list[SuspectLabel]:
    """Return missing labels that are not the suggestion for a wrong one of the same frame."""
    suggested = {(label.image_id, label.suggestion) for label in wrong}
    kept = [label for label in missing if (label.image_id, label.category) not in suggested]
    return [replace(label, rank=rank) for rank, label in enumerate(kept, start=1)]
