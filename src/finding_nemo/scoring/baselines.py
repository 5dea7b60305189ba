"""Scores that open no image: what any model must beat before it has seen anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.records import ImageRecord
from finding_nemo.scoring.ranking import Truth

# Frames of another clip of the same dive are further than any frame of this clip.
_OTHER_SEQUENCE_DISTANCE = 1e12


def prior_scores(truth: Truth) -> npt.NDArray[np.float64]:
    """Return the share of images that hold each category, in [0, 1], shape (categories,).

    Args:
        truth: The training images' truth, shape (images, categories).

    Raises:
        PredictionsError: If there is no image.
    """
    if truth.shape[0] == 0:
        raise PredictionsError("Class frequency needs at least one training image, got none.")
    frequency: npt.NDArray[np.float64] = truth.mean(axis=0)
    return frequency


@dataclass(frozen=True, slots=True)
class FrameKey:
    """Where a frame stands in its dive, known without opening it.

    Attributes:
        dive: The dive, or "" where unknown: such a frame has no neighbours.
        time_s: Seconds since 1970, NaN where the time of day is unknown.
        sequence: The clip, for data sets that number frames by clip.
        frame_number: The number in the file's name, NaN where there is none.
    """

    dive: str
    time_s: float
    sequence: str
    frame_number: float


def frame_key(record: ImageRecord) -> FrameKey:
    """Return the key of one image record."""
    known = record.captured is not None and record.time_known
    # Times are UTC without a zone; a difference is all that is used, so any fixed origin does.
    time_s = _seconds(record) if known else float("nan")
    number = float("nan") if record.frame_number is None else float(record.frame_number)
    return FrameKey(record.dive or "", time_s, record.sequence, number)


def _seconds(record: ImageRecord) -> float:
    return float(np.datetime64(record.captured, "us").astype(np.int64)) / 1e6


def nearest_frames(
    train_keys: Sequence[FrameKey], query_keys: Sequence[FrameKey]
) -> npt.NDArray[np.int64]:
    """Return for each query the index of the nearest training frame of its dive, else -1.

    Nearest in time where both have one; otherwise nearest by frame number, frames of the same
    clip first. Equal distances keep the order of `train_keys`.
    """
    by_dive: dict[str, list[int]] = {}
    for index, key in enumerate(train_keys):
        if key.dive:
            by_dive.setdefault(key.dive, []).append(index)
    tables = {dive: _DiveTable.build(train_keys, members) for dive, members in by_dive.items()}
    return np.array(
        [tables[key.dive].nearest(key) if key.dive in tables else -1 for key in query_keys],
        dtype=np.int64,
    )


@dataclass(frozen=True, slots=True)
class _DiveTable:
    members: npt.NDArray[np.int64]
    times_s: npt.NDArray[np.float64]
    sequences: npt.NDArray[np.str_]
    numbers: npt.NDArray[np.float64]

    @classmethod
    def build(cls, keys: Sequence[FrameKey], members: list[int]) -> _DiveTable:
        chosen = [keys[index] for index in members]
        return cls(
            members=np.array(members, dtype=np.int64),
            times_s=np.array([key.time_s for key in chosen]),
            sequences=np.array([key.sequence for key in chosen], dtype=np.str_),
            numbers=np.array([key.frame_number for key in chosen]),
        )

    def nearest(self, key: FrameKey) -> int:
        by_time = np.abs(self.times_s - key.time_s)
        if not np.isnan(by_time).all():
            return int(self.members[np.nanargmin(by_time)])
        by_number = np.nan_to_num(np.abs(self.numbers - key.frame_number), nan=0.0)
        by_clip = np.where(self.sequences == key.sequence, 0.0, _OTHER_SEQUENCE_DISTANCE)
        return int(self.members[np.argmin(by_number + by_clip)])


def time_copy_scores(
    train_keys: Sequence[FrameKey], train_truth: Truth, query_keys: Sequence[FrameKey]
) -> npt.NDArray[np.float64]:
    """Return scores that copy the labels of the nearest training frame of the same dive.

    Copied categories come first, the rest follows by class frequency; a query without a
    neighbour gets class frequency alone.

    Args:
        train_keys: Where the training frames stand.
        train_truth: Their truth, shape (training images, categories).
        query_keys: Where the frames to score stand.

    Returns:
        Scores in [0, 1], higher is better, shape (queries, categories). They are no
        probabilities: (copied + frequency) / 2.

    Raises:
        PredictionsError: If there is no training image.
    """
    frequency = prior_scores(train_truth)
    nearest = nearest_frames(train_keys, query_keys)
    copied = np.zeros((len(query_keys), train_truth.shape[1]))
    found = nearest >= 0
    copied[found] = train_truth[nearest[found]]
    scores: npt.NDArray[np.float64] = (copied + frequency) / 2
    return scores
