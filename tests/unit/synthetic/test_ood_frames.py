"""Frames of elsewhere: as bright as wanted, the same every time; and what can be held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.splits.category_holdouts import alone_first, choose_holdouts, spread_out
from finding_nemo.synthetic.ood_frames import draw_far_frames, match_brightness


def test_far_frames__have_the_wanted_brightness() -> None:
    wanted = [0.1, 0.3, 0.5, 0.7, 0.25]
    frames = draw_far_frames(wanted, width_px=96, height_px=64, seed=3)
    assert [frame.shape for frame in frames] == [(64, 96, 3)] * 5
    for frame, light in zip(frames, wanted, strict=True):
        assert frame.mean() / 255 == pytest.approx(light, abs=0.01)
    again = draw_far_frames(wanted, width_px=96, height_px=64, seed=3)
    assert all((a == b).all() for a, b in zip(frames, again, strict=True))


def test_match_brightness__by_hand() -> None:
    # One power: 0.5 ** 2 = 0.25.
    pixels = match_brightness(np.full((2, 2, 3), 0.5), 0.25)
    assert (pixels == 64).all()


def _dataset() -> Dataset:
    table = CategoryTable(
        tuple(
            Category(number, name, group)
            for number, name, group in (
                (1, "crab", "Crab"),
                (2, "eel", "Fish"),
                (3, "ray", "Fish"),
                (4, "urchin", "Urchin"),
            )
        )
    )
    records = []
    # Dive a: crabs; b: four eels; c: four rays; the others: urchins.
    for dive, number, count in (("a", 1, 8), ("b", 2, 4), ("c", 3, 4), ("d", 4, 20), ("e", 4, 20)):
        for k in range(count):
            name = f"{dive}{k}"
            records.append(ImageRecord(name, Path(f"{name}.png"), (number,), dive=dive))
    return Dataset(Path("frames"), table, tuple(records))


def test_holdouts__are_what_is_frequent_enough_alone_or_in_pairs() -> None:
    found = choose_holdouts(_dataset(), least_images=8)
    # Urchins are on two thirds of the frames; eels and rays are too rare alone.
    assert [(h.name, h.n_images, h.n_dives) for h in found] == [
        ("crab", 8, 1),
        ("eel and ray", 8, 2),
    ]
    assert found[1].slug == "category-2-3"
    assert spread_out(found, 1) == found[:1]
    assert alone_first(found) == found
    assert alone_first(found, least=1) == found[:1]
    with pytest.raises(SplitError, match="fewer than 50 images"):
        choose_holdouts(_dataset(), least_images=50)
