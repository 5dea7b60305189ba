"""The size that frames are resized to follows from how small the animals are."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.records import Box, ImageRecord
from finding_nemo.training.auto.from_dataset import choose_frame_size
from finding_nemo.training.recipes.registry import find_recipe, recipe_settings


def frame(
    side_px: float, *, width: int = 1920, height: int = 1080, n_boxes: int = 1
) -> ImageRecord:
    box = Box(1, 0.0, 0.0, side_px, side_px)
    return ImageRecord("a", Path("a.png"), (1,), width=width, height=height, boxes=(box,) * n_boxes)


def test_large_animals__the_usual_size() -> None:
    # 200 px of 1920 x 1080 are 57 px at 480 x 352: sqrt(480 x 352 / (1920 x 1080)) = 0.2854.
    size = choose_frame_size([frame(200, n_boxes=20)])
    assert size.value == (480, 352)
    assert "57 px" in size.reason


def test_small_animals__as_wide_as_a_place() -> None:
    # 80 px become 22.8 px; 32 / 22.8 = 1.40: 673 x 493, to whole places.
    size = choose_frame_size([frame(80, n_boxes=20)])
    assert size.value == (672, 480)
    assert "under 23 px" in size.reason


def test_tiny_animals__at_most_2_5_times_the_pixels() -> None:
    size = choose_frame_size([frame(8, n_boxes=20)])
    assert size.value == (768, 544)
    assert size.value[0] * size.value[1] <= 2.5 * 480 * 352


def test_small_frames__no_larger_than_themselves() -> None:
    size = choose_frame_size([frame(8, width=640, height=360, n_boxes=20)])
    assert size.value == (576, 416)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [frame(8, n_boxes=19)],
        [ImageRecord("a", Path("a.png"), (1,), boxes=(Box(1, 0.0, 0.0, 8, 8),) * 30)],
    ],
)
def test_nothing_known__the_usual_size(records: list[ImageRecord]) -> None:
    size = choose_frame_size(records)
    assert size.value == (480, 352)
    assert "too few boxes" in size.reason


def test_half_a_size__is_refused() -> None:
    nemo = find_recipe("nemo")
    with pytest.raises(SettingsError, match="width_px = 640 and height_px = None: set both"):
        recipe_settings(nemo, {"width_px": 640})
    recipe_settings(nemo, {"width_px": 640, "height_px": 352})
