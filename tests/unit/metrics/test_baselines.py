"""Baselines that open no image."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import ImageRecord
from finding_nemo.metrics.baselines import (
    FrameKey,
    frame_key,
    nearest_frames,
    prior_scores,
    time_copy_scores,
)

_NAN = float("nan")


def slow_nearest(train: list[FrameKey], query: FrameKey) -> list[int]:
    """Look at every training frame; nothing is grouped or vectorised."""
    same_dive = [i for i, key in enumerate(train) if key.dive and key.dive == query.dive]
    timed = [i for i in same_dive if not np.isnan(train[i].time_s - query.time_s)]
    distances = {}
    for index in timed or same_dive:
        key = train[index]
        if timed:
            distances[index] = abs(key.time_s - query.time_s)
        else:
            other_clip = 0 if key.sequence == query.sequence else 1e12
            distances[index] = abs(key.frame_number - query.frame_number) + other_clip
    return [i for i, distance in distances.items() if distance == min(distances.values())]


def random_keys(rng: np.random.Generator, count: int, *, timed: bool) -> list[FrameKey]:
    return [
        FrameKey(
            dive=str(rng.choice(["a", "b", "c", ""])),
            time_s=float(rng.integers(0, 50)) if timed else _NAN,
            sequence=str(rng.choice(["x", "y"])),
            frame_number=float(rng.integers(0, 50)),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("timed", [True, False])
def test_nearest__agrees_with_the_slow_version(timed: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        train, queries = random_keys(rng, 20, timed=timed), random_keys(rng, 10, timed=timed)
        expected = [slow_nearest(train, query) for query in queries]
        assert [near.tolist() for near in nearest_frames(train, queries)] == expected


def test_prior__is_the_share_of_images() -> None:
    truth = np.array([[True, False], [True, True]])
    assert prior_scores(truth).tolist() == [1.0, 0.5]
    with pytest.raises(PredictionsError, match="at least one training image"):
        prior_scores(np.zeros((0, 2), dtype=bool))


def test_time_copy__nearest_frame_then_the_dive_then_everything() -> None:
    train = [
        FrameKey("a", 0.0, "", _NAN),
        FrameKey("a", 100.0, "", _NAN),
        FrameKey("b", 0.0, "", _NAN),
    ]
    truth = np.eye(4, dtype=np.bool_)[:3]
    queries = [FrameKey("a", 90.0, "", _NAN), FrameKey("c", 0.0, "", _NAN)]
    scores = time_copy_scores(train, truth, queries)
    # Copied 1, in the dive 0.5, in all 1/3: (1 + 0.001 * 0.5 + 0.000001 / 3) / 1.001001.
    assert scores[0, 1] == pytest.approx((1 + 0.5e-3 + 1e-6 / 3) / 1.001001)
    assert np.argsort(-scores[0], kind="stable").tolist() == [1, 0, 2, 3]
    assert scores[1].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_time_copy__frames_equally_near_count_by_their_mean() -> None:
    train = [FrameKey("a", 0.0, "", _NAN), FrameKey("a", 0.0, "", _NAN)]
    truth = np.array([[True, True], [True, False]])
    scores = time_copy_scores(train, truth, [FrameKey("a", 1.0, "", _NAN)])
    assert scores[0].tolist() == pytest.approx([1.0, 0.5])


def test_frame_key__a_bare_date_is_no_time() -> None:
    record = ImageRecord("i", Path("i.png"), (1,), dive="d", captured=datetime(1970, 1, 1, 0, 1))
    assert np.isnan(frame_key(record).time_s)
    timed = ImageRecord(
        "i", Path("i.png"), (1,), dive="d", captured=datetime(1970, 1, 1, 0, 1), time_known=True
    )
    assert frame_key(timed).time_s == 60.0
