"""Dive, clip and time of predicted frames, from whatever is known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.adaptation.files.frame_places import FramePlaces, place_frames
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import SettingsError
from finding_nemo.core.records import Dataset, ImageRecord


def places(*paths: str, times: tuple[float | None, ...] = (), **options: object) -> FramePlaces:
    ids = [Path(path).stem for path in paths]
    known = times or (None,) * len(paths)
    return place_frames(ids, paths, known, **options)  # type: ignore[arg-type]


def test_paths__tell_dive_clip_and_number() -> None:
    base = "https://x.example/framegrabs/Doc%20Ricketts/images/"
    found = places(f"{base}0297/a_01.png", f"{base}0297/a_03.png", f"{base}0298/b_01.png")
    assert found.dives == ("Doc Ricketts 0297", "Doc Ricketts 0297", "Doc Ricketts 0298")
    assert found.clips[0] == found.clips[1] != found.clips[2]
    assert found.numbers.tolist() == [1, 3, 1]
    assert np.isnan(found.times_s).all()
    assert found.notices == ()


def test_folders__stand_for_dives_that_nobody_names() -> None:
    found = places("may/a.png", "may/b.png", "june/c.png", "d.png")
    assert found.dives == ("may", "may", "june", "all frames")
    assert "4 frames name no dive" in found.notices[0]


def test_pattern__names_dives() -> None:
    found = places("d12/x1.png", "d13/x1.png", dive_pattern=r"d(?P<dive>\d+)/")
    assert found.dives == ("12", "13")
    with pytest.raises(SettingsError, match="group named dive"):
        places("d12/x1.png", dive_pattern="d12")


def test_one_video__is_one_clock_and_two_are_not() -> None:
    found = places("v/a.mp4", "v/a.mp4", times=(0.0, 30.0))
    assert found.dives == ("a.mp4", "a.mp4")
    assert found.times_s.tolist() == [0.0, 30.0]
    assert found.numbers[1] - found.numbers[0] == pytest.approx(7.7)  # the reach of 30 s
    two = places("0297/a.mp4", "0297/b.mp4", times=(0.0, 30.0), dataset=_dataset("a", "b"))
    assert np.isnan(two.times_s).all()
    assert two.clips[0] != two.clips[1]


def _dataset(*ids: str) -> Dataset:
    table = CategoryTable((Category(1, "crab", "a"),))
    records = tuple(
        ImageRecord(
            image_id=name,
            path=Path(f"{name}.png"),
            category_ids=(1,),
            dive="Nautile 7",
            captured=datetime(2020, 5, 1, 10, 0, second),
            time_known=True,
        )
        for second, name in enumerate(ids)
    )
    return Dataset(Path("."), table, records)


def test_data_set__knows_dive_and_time() -> None:
    found = places("x/a.png", "x/b.png", "x/zz.png", dataset=_dataset("a", "b"))
    assert found.dives == ("Nautile 7", "Nautile 7", "x")
    assert found.times_s[1] - found.times_s[0] == 1.0
    assert found.notices[0] == "1 predicted images are not in the data set; paths place them."
