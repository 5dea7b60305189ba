"""Similar frames of a dive: by hand, and against one comparison at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from finding_nemo.core.arrays import Bools, Float32s, Float64s, Ints
from finding_nemo.evaluation.label_errors import dive_neighbors
from finding_nemo.evaluation.label_errors.dive_neighbors import (
    NOBODY,
    DiveNeighbors,
    find_neighbors,
    label_shares,
)


def unit(rows: list[list[float]]) -> Float32s:
    values = np.array(rows, dtype=np.float32)
    found: Float32s = values / np.linalg.norm(values, axis=1, keepdims=True)
    return found


def numbers(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def test_find_neighbors__by_hand() -> None:
    features = unit([[1, 0], [1, 0], [0, 1], [1, 0]])
    dives, clips = numbers(0, 0, 0, 1), numbers(0, 0, 1, 2)
    both = find_neighbors(features, dives, clips, k=2)
    found, others = both.of_any_clip, both.of_other_clips
    assert found.rows.tolist() == [[1, 2], [0, 2], [0, 1], [NOBODY, NOBODY]]
    assert found.similarity.tolist() == [[1, 0], [1, 0], [0, 0], [0, 0]]
    assert others.rows.tolist() == [[2, NOBODY], [2, NOBODY], [0, 1], [NOBODY, NOBODY]]


@pytest.mark.parametrize("other_clips", [False, True])
def test_find_neighbors__like_one_comparison_at_a_time(other_clips: bool) -> None:
    rng = np.random.default_rng(0)
    features = unit(rng.normal(size=(60, 5)).tolist())
    dives, clips = rng.integers(0, 4, 60), rng.integers(0, 9, 60)
    both = find_neighbors(features, dives, clips, k=3)
    found = both.of_other_clips if other_clips else both.of_any_clip
    for row in range(60):
        allowed = [
            other
            for other in range(60)
            if other != row
            and dives[other] == dives[row]
            and not (other_clips and clips[other] == clips[row])
        ]
        allowed.sort(key=lambda other: -float(features[row] @ features[other]))
        wanted = [*allowed[:3], NOBODY, NOBODY, NOBODY][:3]
        assert found.rows[row].tolist() == wanted


def test_large_dive__is_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dive_neighbors, "_BLOCK", 8)
    # On a circle, so that the frames filmed before and after are the most alike.
    turns = np.arange(50) / 50 * np.pi
    features = unit(np.stack([np.cos(turns), np.sin(turns)], axis=1).tolist())
    same = np.zeros(50, dtype=np.int64)
    found = find_neighbors(features, same, same, k=2).of_any_clip
    assert set(found.rows[12].tolist()) == {11, 13}
    assert (found.rows != np.arange(50)[:, np.newaxis]).all()


def _slow_share(found: DiveNeighbors, labels: Bools, row: int, column: int) -> float:
    weight, total = 0.05, 0.05 * labels[:, column].mean()
    for other, cosine in zip(found.rows[row], found.similarity[row], strict=True):
        if other != NOBODY:
            own = math.exp((float(cosine) - 1) / 0.1)
            weight += own
            total += own * labels[other, column]
    return float(total / weight)


def test_label_shares__by_hand_and_slowly() -> None:
    labels = np.array([[True], [False], [True], [False]])
    lonely = DiveNeighbors(
        rows=np.array([[1], [0], [NOBODY], [0]]), similarity=np.ones((4, 1), np.float32)
    )
    shares: Float64s = label_shares(lonely, labels)
    # One neighbour of weight 1 beside class frequency (0.5) of weight 0.05.
    assert shares[:, 0] == pytest.approx([0.025 / 1.05, 1.025 / 1.05, 0.5, 1.025 / 1.05])
    rng = np.random.default_rng(1)
    many = rng.random((30, 4)) < 0.3
    found = DiveNeighbors(
        rows=rng.integers(-1, 30, (30, 5)),
        similarity=rng.uniform(0.5, 1, (30, 5)).astype(np.float32),
    )
    slow = [[_slow_share(found, many, row, column) for column in range(4)] for row in range(30)]
    assert label_shares(found, many) == pytest.approx(np.array(slow))
