"""Frames in the light of other dives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.color_transfer import ColorTransferSources, transfer_color


def record(name: str, dive: str | None) -> ImageRecord:
    return ImageRecord(name, Path(f"{name}.png"), (3,), dive=dive)


def frame(mean: float, contrast: float, seed: int) -> npt.NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    levels = mean + contrast * generator.standard_normal((48, 80, 3))
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def test_lights__are_drawn_from_each_dive_alike_and_as_often_as_said() -> None:
    records = [record(f"large {k}", "large") for k in range(50)] + [record("one", "small")]
    color_transfers = ColorTransferSources(records, color_transfer_prob=0.5)
    generator = np.random.default_rng(0)
    drawn = [color_transfers.draw(generator) for _ in range(2000)]
    found = [color_transfer for color_transfer in drawn if color_transfer is not None]
    assert len(found) == pytest.approx(1000, abs=100)
    dives = Counter(color_transfer.record.dive for color_transfer in found)
    assert dives["small"] == pytest.approx(len(found) / 2, rel=0.1)
    assert all(0.2 <= color_transfer.share <= 1 for color_transfer in found)


def test_lights__none_where_there_are_no_frames_or_none_are_wanted() -> None:
    generator = np.random.default_rng(0)
    assert ColorTransferSources([], color_transfer_prob=1.0).draw(generator) is None
    assert ColorTransferSources([record("a", "x")], color_transfer_prob=0.0).draw(generator) is None


def test_frames_without_a_dive__stand_for_themselves() -> None:
    color_transfers = ColorTransferSources(
        [record(name, None) for name in "abc"], color_transfer_prob=1.0
    )
    generator = np.random.default_rng(0)
    names = {
        color_transfer.record.image_id
        for _ in range(50)
        if (color_transfer := color_transfers.draw(generator))
    }
    assert names == {"a", "b", "c"}


def test_light__by_hand() -> None:
    # Contrast 10 and 30 beside the 4 that every frame is given: a gain of 34 / 14 at share 1.
    upper = np.arange(64)[:, None, None] < 32
    dark = np.broadcast_to(np.where(upper, 90, 110), (64, 64, 3)).astype(np.uint8)
    bright = np.broadcast_to(np.where(upper, 130, 190), (64, 64, 3)).astype(np.uint8)
    seen = transfer_color(dark, bright, 1.0)
    assert seen[0, 0].tolist() == [136] * 3
    assert seen[-1, 0].tolist() == [184] * 3
    half = transfer_color(dark, bright, 0.5)
    assert half[0, 0].tolist() == [113] * 3
    assert half[-1, 0].tolist() == [147] * 3


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_light__equals_arithmetic_on_every_pixel(share: float) -> None:
    one, other = frame(80, 15, 1), frame(140, 25, 2)[:40, :72]
    seen = transfer_color(one, other, share)
    for channel in range(3):
        mine, theirs = one[::8, ::8, channel] * 1.0, other[::8, ::8, channel] * 1.0
        gain = ((1 - share) * (mine.std() + 4) + share * (theirs.std() + 4)) / (mine.std() + 4)
        middle = (1 - share) * mine.mean() + share * theirs.mean()
        for row in range(0, 48, 7):
            for column in range(0, 80, 11):
                wanted = middle + gain * (float(one[row, column, channel]) - mine.mean())
                assert seen[row, column, channel] == min(max(round(wanted), 0), 255)


def test_own_light__changes_nothing() -> None:
    one = frame(120, 30, 3)
    np.testing.assert_array_equal(transfer_color(one, frame(20, 5, 4), 0.0), one)
