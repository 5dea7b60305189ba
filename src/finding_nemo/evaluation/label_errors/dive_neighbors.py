"""The frames of a dive that look most like each of its frames, and what they are labelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Bools, Float32s, Float64s, Ints

N_NEIGHBORS = 10
NOBODY = -1
# A frame of a large dive is compared with the 2,048 filmed around it and with 2,048 spread over the
# rest, so that time and memory grow with the frames and not with their square.
_BLOCK = 2048
# A neighbour counts exp((cosine - 1) / reach); class frequency counts as much as this beside them.
_REACH = 0.1
_PRIOR_WEIGHT = 0.05


@dataclass(frozen=True, kw_only=True)
class DiveNeighbors:
    """The most similar frames of the own dive, best first.

    Attributes:
        rows: Shape (frames, neighbours); -1 where there are no more.
        similarity: Cosine of the features, in [-1, 1], same shape; 0 where there are no more.
    """

    rows: Ints
    similarity: Float32s

    @property
    def weights(self) -> Float64s:
        """How much each counts, in [0, 1], same shape."""
        closeness = np.exp((self.similarity.astype(np.float64) - 1.0) / _REACH)
        found: Float64s = np.where(self.rows != NOBODY, closeness, 0.0)
        return found


@dataclass(frozen=True, kw_only=True)
class NeighborsOfFrames:
    """The most similar frames of the own dive, by two rules.

    Attributes:
        of_any_clip: Of all its other frames.
        of_other_clips: Of those that are not of the frame's own clip.
    """

    of_any_clip: DiveNeighbors
    of_other_clips: DiveNeighbors


def find_neighbors(
    features: Float32s, dives: Ints, clips: Ints, *, k: int = N_NEIGHBORS
) -> NeighborsOfFrames:
    """Return the frames of its dive that are most like each frame, itself excepted.

    Frames are compared and put in order once for both rules.

    Args:
        features: Of unit length, shape (frames, features); frames of a dive in order of time.
        dives: A number a dive, shape (frames,).
        clips: A number a clip, shape (frames,).
        k: How many at most.
    """
    of_any_clip, of_other_clips = _nobody(len(features), k), _nobody(len(features), k)
    for own, others in _blocks(dives):
        cosines = features[own] @ features[others].T
        order = np.argsort(-cosines, axis=1, kind="stable")
        is_itself = own[:, np.newaxis] == others
        is_of_own_clip = clips[own][:, np.newaxis] == clips[others]
        for found, is_excluded in ((of_any_clip, is_itself), (of_other_clips, is_of_own_clip)):
            rank, is_there = _first_allowed(order, is_excluded, k)
            n_kept = rank.shape[1]
            values = np.take_along_axis(cosines, rank, axis=1)
            found.rows[own, :n_kept] = np.where(is_there, others[rank], NOBODY)
            found.similarity[own, :n_kept] = np.where(is_there, values, 0.0)
    return NeighborsOfFrames(of_any_clip=of_any_clip, of_other_clips=of_other_clips)


def _nobody(n_frames: int, k: int) -> DiveNeighbors:
    return DiveNeighbors(
        rows=np.full((n_frames, k), NOBODY, dtype=np.int64),
        similarity=np.zeros((n_frames, k), dtype=np.float32),
    )


def _first_allowed(order: Ints, is_excluded: Bools, k: int) -> tuple[Ints, Bools]:
    """Return the first `k` columns of each row in `order` that are not excluded.

    Args:
        order: All columns of each row, best first, shape (rows, columns).
        is_excluded: Same shape, by column.
        k: How many at most.

    Returns:
        Columns, shape (rows, at most k), and whether each is allowed: where there are too few,
        the rest is of those excluded.
    """
    is_excluded = np.take_along_axis(is_excluded, order, axis=1)
    # A stable order of two values puts those allowed first and leaves them in theirs.
    first = np.argsort(is_excluded, axis=1, kind="stable")[:, :k]
    is_there: Bools = ~np.take_along_axis(is_excluded, first, axis=1)
    columns: Ints = np.take_along_axis(order, first, axis=1)
    return columns, is_there


def _blocks(dives: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield rows of a dive, and the rows of the same dive that they are compared with."""
    order = np.argsort(dives, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(dives[order])) + 1):
        if len(members) <= 2 * _BLOCK:
            yield members, members
            continue
        spread = members[np.linspace(0, len(members) - 1, _BLOCK).astype(np.int64)]
        for start in range(0, len(members), _BLOCK):
            own = members[start : start + _BLOCK]
            yield own, np.unique(np.concatenate([own, spread]))


def label_shares(neighbors: DiveNeighbors, labels: Bools) -> Float64s:
    """Return how probable each category is in each frame by the labels of its neighbours.

    A weighted share, drawn towards class frequency where nothing is similar.

    Args:
        neighbors: Of each frame.
        labels: As annotated, shape (frames, categories).

    Returns:
        In (0, 1), shape (frames, categories).
    """
    weights = neighbors.weights
    found: Float64s = np.tile(_PRIOR_WEIGHT * labels.mean(axis=0), (len(labels), 1))
    for column in range(weights.shape[1]):
        found += weights[:, column, np.newaxis] * labels[neighbors.rows[:, column]]
    found /= weights.sum(axis=1, keepdims=True) + _PRIOR_WEIGHT
    return found
