"""One dive while it is reviewed: adapted anew after each review, keeping what stays the same.

The same numbers as `adaptation.adapt_dive`; but a dive is never in memory as frames by categories,
and of all covariances only those of the frame that was reviewed last are computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.adaptation.adapt_dive import Dive, missed_by_places
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.adapted_calibration import calibrate_scores
from finding_nemo.adaptation.covariance import DiveFrames, covariance, own_variance
from finding_nemo.adaptation.frame_choice import (
    ChosenFrame,
    DiveCoverage,
    Landmarks,
    landmark_rows,
    landmarks_of,
)
from finding_nemo.adaptation.label_regression import DiveLabels, Learnt, learn_from_labels
from finding_nemo.adaptation.rest_quality import QualityClues, RestQuality, estimate_quality
from finding_nemo.core.arrays import AnyFloats, Bools, Float32s, Float64s, Ints
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.reviewing.frame_collection import FrameCollection, FrameVectors

_ROWS_AT_A_TIME = 2048


@dataclass(frozen=True, kw_only=True)
class AdaptedPart:
    """Some frames of a dive after its reviews.

    Attributes:
        positions: Which frames of the dive, shape (frames,).
        values: Calibrated probabilities; what a person saw is 1 or 0, (frames, categories).
    """

    positions: Ints
    values: Float32s


class DiveInReview:
    """A dive with its reviews and all that follows from them.

    Attributes:
        rows: Its frames in the collection, rising, shape (frames,).
        labels: Of the frames that a person looked at, by position in the dive.
        uncertainty: Of each frame, at least 0; `None` before any review, shape (frames,).
        quality: How good the rest is; `None` where nothing tells.
    """

    def __init__(
        self, collection: FrameCollection, rows: Ints, settings: AdaptationSettings
    ) -> None:
        """Begin without reviews.

        Args:
            collection: Where the frames are.
            rows: Of the dive, rising.
            settings: All numbers of the adaptation.
        """
        self.rows = rows
        self.labels = DiveLabels(
            rows=np.empty(0, dtype=np.int64),
            present=np.zeros((0, 0), dtype=np.bool_),
            known=np.zeros((0, 0), dtype=np.bool_),
        )
        self.uncertainty: Float64s | None = None
        self.quality: RestQuality | None = None
        self._collection = collection
        self._settings = settings
        self._usable: Bools = collection.columns.usable[rows]
        self._placed = collection.columns.frames_without_features(rows)
        self._with_places = True
        self._columns: dict[int, Float32s] = {}
        self._own: dict[int, FrameVectors] = {}
        self._learnt: Learnt | None = None
        self._marks: Landmarks | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def missed_by_places(self, labels: DiveLabels) -> tuple[float, float]:
        """Return how badly reviews are foretold by the others, with clip and time and without.

        Args:
            labels: Of at least two frames of the dive.
        """
        self._know(labels.rows)
        frames = self._reviewed_frames(labels.rows, with_places=True)
        mini = Dive(
            name="",
            frames=frames,
            base=self._base_of(labels.rows, labels.present.shape[1]),
            labels=DiveLabels(
                rows=np.arange(len(labels)), present=labels.present, known=labels.known
            ),
            usable=np.ones(len(labels), dtype=np.bool_),
        )
        return missed_by_places(mini, self._settings.kernel)

    def adapt(self, labels: DiveLabels, *, with_places: bool) -> Iterator[AdaptedPart]:
        """Take in the labels of the dive and yield all its frames, part by part.

        Uncertainty and quality are those of these labels when the last part is taken.

        Args:
            labels: All that is known now, at least one frame.
            with_places: Whether clip and time are used beside features.
        """
        if with_places != self._with_places:
            self._columns, self._marks = {}, None
        self.labels, self._with_places = labels, with_places
        self._know(labels.rows)
        self._add_columns(labels.rows.tolist())
        shared = self._shared(labels.rows)
        prior = self._settings.kernel.base_share * self._base_of(
            labels.rows, labels.present.shape[1]
        ).astype(np.float64)
        self._learnt = learn_from_labels(
            shared.astype(np.float64), prior, labels, self._settings.kernel
        )
        yield from self._parts(self._learnt)

    def probabilities(self, row: int, n_categories: int) -> tuple[Float32s, Float64s | None]:
        """Return a frame's probabilities after the reviews, and how much each review counted.

        Args:
            row: Of the collection, a frame of this dive.
            n_categories: Of the present table.

        Returns:
            Shape (categories,), and (reviewed, categories) or `None` before any review.
        """
        position = int(np.searchsorted(self.rows, row))
        base = _wide(next(self._vectors(np.array([position]))).base, n_categories)
        if self._learnt is None:
            return base[0], None
        found, _ = self._computed(self._learnt, np.array([position]), base)
        shares = self._shared(np.array([position])).T * self._learnt.weights
        known = np.flatnonzero(self.labels.rows == position)
        values = found[0].astype(np.float32)
        for at in known.tolist():
            values = np.where(self.labels.known[at], self.labels.present[at], values)
        return values.astype(np.float32), shares

    def choose(self, count: int, closed: Ints) -> list[ChosenFrame]:
        """Return the frames of the dive to look at next, best first.

        Args:
            count: How many at most.
            closed: Positions that may not be chosen.
        """
        marks = self._landmarks()
        shared = self._shared(marks.rows).T if len(self.labels) else np.zeros((0, len(marks.rows)))
        coverage = DiveCoverage.over(
            marks,
            reviewed=self.labels.rows,
            covered=shared,
            times_s=self._frames.times_s[self.labels.rows],
            uncertainty=self.uncertainty,
            closed=closed,
        )
        return coverage.choose(count)

    def forget(self) -> None:
        """Go back to the state before any review; what was computed of frames stays."""
        empty = np.zeros((0, 0), dtype=np.bool_)
        self.labels = DiveLabels(rows=np.empty(0, dtype=np.int64), present=empty, known=empty)
        self.uncertainty, self.quality, self._learnt = None, None, None

    def drop_landmarks(self) -> None:
        """Free what only the choice of frames needs; it is computed again when it is asked for."""
        self._marks = None

    @property
    def _frames(self) -> DiveFrames:
        return self._placed if self._with_places else self._placed.without_places()

    def _vectors(self, positions: Ints, *, with_features: bool = False) -> Iterator[FrameVectors]:
        return self._collection.vectors(self.rows[positions], with_features=with_features)

    def _know(self, positions: Ints) -> None:
        """Keep the vectors of reviewed frames: few, and asked for again with each review."""
        new = np.array([p for p in positions.tolist() if p not in self._own], dtype=np.int64)
        if not new.size:
            return
        for part in self._vectors(np.sort(new), with_features=True):
            for at, row in enumerate(part.rows.tolist()):
                features = None if part.features is None else part.features[at : at + 1].copy()
                position = int(np.searchsorted(self.rows, row))
                own = FrameVectors(part.rows[at : at + 1], part.base[at : at + 1].copy(), features)
                self._own[position] = own

    def _base_of(self, positions: Ints, n_categories: int) -> Float32s:
        return _wide(
            np.concatenate([self._own[position].base for position in positions.tolist()]),
            n_categories,
        )

    def _reviewed_frames(self, positions: Ints, *, with_places: bool) -> DiveFrames:
        placed = self._placed if with_places else self._placed.without_places()
        features = [self._own[position].features for position in positions.tolist()]
        kept = [values for values in features if values is not None]
        found = placed.take(positions)
        return DiveFrames(
            features=np.concatenate(kept) if kept and len(kept) == len(features) else None,
            clips=found.clips,
            numbers=found.numbers,
            times_s=found.times_s,
        )

    def _add_columns(self, positions: Sequence[int]) -> None:
        """Compute what all frames share with reviewed ones, where it is not known yet."""
        new = [position for position in positions if position not in self._columns]
        if not new:
            return
        reviewed = self._reviewed_frames(np.array(new), with_places=self._with_places)
        by_time = self._frames.has_times
        found = np.empty((len(self), len(new)), dtype=np.float32)
        for part in self._vectors(np.arange(len(self)), with_features=True):
            own = np.searchsorted(self.rows, part.rows)
            placed = self._frames.take(own)
            frames = DiveFrames(
                features=part.features,
                clips=placed.clips,
                numbers=placed.numbers,
                times_s=placed.times_s,
            )
            found[own] = covariance(frames, reviewed, self._settings.kernel, by_time=by_time)
        self._columns.update({position: found[:, at].copy() for at, position in enumerate(new)})

    def _shared(self, positions: Ints) -> Float32s:
        """Return what some frames share with the reviewed ones, shape (frames, reviewed)."""
        columns = [self._columns[position][positions] for position in self.labels.rows.tolist()]
        return np.stack(columns, axis=1)

    def _computed(
        self, learnt: Learnt, positions: Ints, base: Float32s
    ) -> tuple[Float64s, Float64s]:
        """Return calibrated probabilities and the variance left, without what is known."""
        kernel = self._settings.kernel
        shared = self._shared(positions).astype(np.float64)
        mean = kernel.base_share * base.astype(np.float64) + shared @ learnt.weights
        frames = self._with_features(self._frames.take(positions))
        own = own_variance(frames, kernel, by_time=self._frames.has_times)
        variance = learnt.variance(shared, own)
        return calibrate_scores(mean, variance, self._settings.calibration), variance

    def _with_features(self, frames: DiveFrames) -> DiveFrames:
        """Return frames that count as having features, if the collection has any."""
        if not self._collection.has_features:
            return frames
        return DiveFrames(
            features=np.zeros((len(frames), 0), dtype=np.float32),
            clips=frames.clips,
            numbers=frames.numbers,
            times_s=frames.times_s,
        )

    def _parts(self, learnt: Learnt) -> Iterator[AdaptedPart]:
        labels = self.labels
        is_rest = self._usable.copy()
        is_rest[labels.rows] = False
        at = np.full(len(self), -1, dtype=np.int64)
        at[labels.rows] = np.arange(len(labels))
        uncertainty = np.zeros(len(self))
        sums = np.zeros(2)
        for part in self._vectors(np.arange(len(self))):
            all_positions = np.searchsorted(self.rows, part.rows)
            for start in range(0, len(all_positions), _ROWS_AT_A_TIME):
                chosen = slice(start, start + _ROWS_AT_A_TIME)
                positions = all_positions[chosen]
                base = _wide(part.base[chosen], labels.present.shape[1])
                found, variance = self._computed(learnt, positions, base)
                uncertainty[positions] = (found * (1.0 - found)).sum(axis=1)
                rest = is_rest[positions]
                sums += (found[rest].max(axis=1).sum(), variance[rest].sum())
                seen = np.flatnonzero(at[positions] >= 0)
                label = at[positions[seen]]
                found[seen] = np.where(labels.known[label], labels.present[label], found[seen])
                yield AdaptedPart(positions=positions, values=found.astype(np.float32))
        self.uncertainty = uncertainty
        self.quality = self._quality(learnt, int(is_rest.sum()), sums)

    def _quality(self, learnt: Learnt, n_rest: int, sums: Float64s) -> RestQuality | None:
        labels = self.labels
        kept = labels.is_complete & labels.present.any(axis=1)
        if not n_rest or not kept.any():
            return None
        left_out = average_precision_at_k(labels.present[kept], learnt.left_out[kept])
        clues = QualityClues(
            n_reviewed=len(labels),
            n_rest=n_rest,
            top_probability=float(sums[0] / n_rest),
            left_out_ap=float(left_out.mean()),
            variance=float(sums[1] / n_rest),
        )
        return estimate_quality(clues, self._settings.quality)

    def _landmarks(self) -> Landmarks:
        if self._marks is None:
            rows = landmark_rows(self._frames, np.flatnonzero(self._usable))
            placed = self._frames.take(rows)
            parts = list(self._vectors(rows, with_features=True)) if rows.size else []
            features = [part.features for part in parts if part.features is not None]
            frames = DiveFrames(
                features=np.concatenate(features) if features else None,
                clips=placed.clips,
                numbers=placed.numbers,
                times_s=placed.times_s,
            )
            self._marks = landmarks_of(
                rows,
                frames,
                self._settings.kernel,
                n_usable=int(self._usable.sum()),
                by_time=self._frames.has_times,
            )
        return self._marks


def _wide(base: AnyFloats, n_categories: int) -> Float32s:
    """Return the base prediction with a column of zeros for each category that reviews brought."""
    missing = n_categories - base.shape[1]
    if not missing:
        return base.astype(np.float32, copy=False)
    return np.concatenate([base, np.zeros((len(base), missing), dtype=np.float32)], axis=1)


def labels_by_position(
    rows: Ints, reviews: Mapping[int, tuple[Ints, Ints, bool]], n_categories: int
) -> DiveLabels:
    """Return what was said of the frames of a dive as labels.

    Args:
        rows: Of the dive in the collection, rising.
        reviews: By row of the collection: columns that are there, columns that are not, and whether
            the review is complete.
        n_categories: Of the present table.
    """
    reviewed = np.array(sorted(reviews), dtype=np.int64)
    present = np.zeros((len(reviewed), n_categories), dtype=np.bool_)
    known = np.zeros((len(reviewed), n_categories), dtype=np.bool_)
    for at, row in enumerate(reviewed.tolist()):
        there, absent, is_complete = reviews[row]
        present[at, there] = True
        known[at] = is_complete
        known[at, there] = True
        known[at, absent] = True
    return DiveLabels(rows=np.searchsorted(rows, reviewed), present=present, known=known)
