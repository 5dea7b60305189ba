"""How often a data set is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.records import ImageRecord
from finding_nemo.training.auto.epoch_budget import EpochBudget, epochs_within, with_auto_epochs
from finding_nemo.training.recipes.registry import (
    NemoSettings,
    PatchesSettings,
    ProbeSettings,
    TrainerSettings,
)


def images(count: int) -> list[ImageRecord]:
    return [ImageRecord(str(number), Path("a.png"), category_ids=(1,)) for number in range(count)]


@pytest.mark.parametrize(
    ("n_images", "budget", "passes"),
    [
        (1, EpochBudget(4_000, 10), 10),
        (500, EpochBudget(4_000, 10), 8),
        (1000, EpochBudget(4_000, 10), 4),
        (3700, EpochBudget(4_000, 10), 1),
        (10**6, EpochBudget(4_000, 10), 1),
        (3700, EpochBudget(12_000, 10), 3),
        (768, EpochBudget(24_000, 30), 30),
    ],
)
def test_passes__show_about_so_many_views(n_images: int, budget: EpochBudget, passes: int) -> None:
    assert epochs_within(n_images, budget) == passes


def test_passes__what_is_set_stays_and_what_is_chosen_is_told() -> None:
    told: list[str] = []
    assert with_auto_epochs(NemoSettings(epochs=3), images(1000), told.append).epochs == 3
    assert told == []
    every_layer = NemoSettings(trained_layers=1000)
    assert with_auto_epochs(every_layer, images(1000), told.append).epochs == 4
    assert told == [
        "epochs 4: 1000 training images, shown until some 4000 views are seen, in at most 10 "
        "passes."
    ]


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        (NemoSettings(), 1),
        (NemoSettings(trained_layers=1), 3),
        (PatchesSettings(), 6),
        (ProbeSettings(epochs=30), 30),
    ],
)
def test_passes__are_more_where_less_is_trained(settings: TrainerSettings, epochs: int) -> None:
    assert with_auto_epochs(settings, images(4000), lambda line: None).epochs == epochs
