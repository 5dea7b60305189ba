"""How often a data set is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.records import ImageRecord
from finding_nemo.training.passes import passes_over, with_passes
from finding_nemo.training.recipes import SmallAnimalSettings


def images(count: int) -> list[ImageRecord]:
    return [ImageRecord(str(number), Path("a.png"), category_ids=(1,)) for number in range(count)]


@pytest.mark.parametrize(
    ("n_images", "n_views", "passes"),
    [
        (1, 4_000, 10),
        (500, 4_000, 8),
        (1000, 4_000, 4),
        (3700, 4_000, 1),
        (10**6, 4_000, 1),
        (3700, 12_000, 3),
    ],
)
def test_passes__show_about_so_many_views(n_images: int, n_views: int, passes: int) -> None:
    assert passes_over(n_images, n_views) == passes


def test_passes__what_is_set_stays_and_what_is_chosen_is_told() -> None:
    told: list[str] = []
    assert with_passes(SmallAnimalSettings(epochs=3), images(1000), told.append).epochs == 3
    assert told == []
    every_layer = SmallAnimalSettings(trained_layers=1000)
    assert with_passes(every_layer, images(1000), told.append).epochs == 4
    assert told == ["epochs 4: 1000 training images, shown until some 4000 views are seen."]


def test_passes__without_boxes_the_highest_layer_is_shown_more() -> None:
    assert with_passes(SmallAnimalSettings(), images(4000), lambda line: None).epochs == 3
