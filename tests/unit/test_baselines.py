"""Baselines that open no image."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import ImageRecord
from finding_nemo.scoring.baselines import (
    FrameKey,
    frame_key,
    nearest_frames,
    prior_scores,
    time_copy_scores,
)

_NAN = float("nan")


def slow_nearest(train: list[FrameKey], query: FrameKey) -> int:
    """Look at every training frame; nothing is grouped or vectorised."""
    best, best_distance = -1, float("inf")
    same_dive = [i for i, key in enumerate(train) if key.dive and key.dive == query.dive]
    timed = [i for i in same_dive if not np.isnan(train[i].time_s - query.time_s)]
    for index in timed or same_dive:
        key = train[index]
        if timed:
            distance = abs(key.time_s - query.time_s)
        else:
            distance = abs(key.frame_number - query.frame_number)
            distance += 0 if key.sequence == query.sequence else 1e12
        if distance < best_distance:
            best, best_distance = index, distance
    return best


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
        assert nearest_frames(train, queries).tolist() == expected


def test_prior__is_the_share_of_images() -> None:
    truth = np.array([[True, False], [True, True]])
    assert prior_scores(truth).tolist() == [1.0, 0.5]
    with pytest.raises(PredictionsError, match="at least one training image"):
        prior_scores(np.zeros((0, 2), dtype=bool))


def test_time_copy__copies_the_nearest_frame_of_the_dive_and_else_the_prior() -> None:
    train = [FrameKey("a", 0.0, "", _NAN), FrameKey("a", 100.0, "", _NAN)]
    truth = np.array([[True, False, False], [False, True, False]])
    queries = [FrameKey("a", 90.0, "", _NAN), FrameKey("b", 0.0, "", _NAN)]
    scores = time_copy_scores(train, truth, queries)
    assert scores[0].tolist() == [0.25, 0.75, 0.0]
    assert scores[1].tolist() == [0.25, 0.25, 0.0]


def test_frame_key__a_bare_date_is_no_time() -> None:
    record = ImageRecord("i", Path("i.png"), (1,), dive="d", captured=datetime(1970, 1, 1, 0, 1))
    assert np.isnan(frame_key(record).time_s)
    timed = ImageRecord(
        "i", Path("i.png"), (1,), dive="d", captured=datetime(1970, 1, 1, 0, 1), time_known=True
    )
    assert frame_key(timed).time_s == 60.0
