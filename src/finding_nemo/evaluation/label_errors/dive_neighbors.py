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


def find_neighbors(
    features: Float32s, dives: Ints, clips: Ints, *, other_clips: bool, k: int = N_NEIGHBORS
) -> DiveNeighbors:
    """Return the frames of its dive that are most like each frame, itself excepted.

    Args:
        features: Of unit length, shape (frames, features); frames of a dive in order of time.
        dives: A number a dive, shape (frames,).
        clips: A number a clip, shape (frames,).
        other_clips: Whether frames of the own clip are left out.
        k: How many at most.
    """
    rows = np.full((len(features), k), NOBODY, dtype=np.int64)
    similarity = np.zeros((len(features), k), dtype=np.float32)
    for own, others in _blocks(dives):
        cosines = features[own] @ features[others].T
        excluded = own[:, np.newaxis] == others
        if other_clips:
            excluded |= clips[own][:, np.newaxis] == clips[others]
        cosines[excluded] = -np.inf
        n_kept = min(k, len(others))
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :n_kept]
        values = np.take_along_axis(cosines, best, axis=1)
        is_there = np.isfinite(values)
        rows[own, :n_kept] = np.where(is_there, others[best], NOBODY)
        similarity[own, :n_kept] = np.where(is_there, values, 0.0)
    return DiveNeighbors(rows=rows, similarity=similarity)


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
