"""Which layers `nemo` trains, and what it does where boxes are few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.records import Box, ImageRecord
from finding_nemo.training.auto.box_supervision import (
    EVERY_LAYER,
    choose_layers,
    has_box_supervision,
)
from finding_nemo.training.auto.fallback_without_boxes import fallback_without_boxes
from finding_nemo.training.recipes.registry import find_recipe, recipe_settings
from finding_nemo.training.recipes.settings import AnySettings, NemoSettings, PatchesSettings


def image(*, holds: int, boxed: bool, width: int | None = 640) -> ImageRecord:
    boxes = (Box(1, 2.0, 2.0, 8.0, 8.0),) if boxed else ()
    categories = tuple(range(1, holds + 1))
    return ImageRecord("a", Path("a.png"), categories, width=width, height=480, boxes=boxes)


BOXED = [image(holds=1, boxed=True)]
BARE = [image(holds=1, boxed=False)]


@pytest.mark.parametrize(
    ("records", "supervise"),
    [
        ([*BOXED, image(holds=2, boxed=False)], True),
        (BOXED + 2 * BARE, False),
        # An empty frame needs no box; a box in a frame of unknown size says nothing.
        ([*BOXED, *9 * [image(holds=0, boxed=False)]], True),
        ([image(holds=1, boxed=True, width=None)], False),
        ([], False),
    ],
)
def test_boxes__teach_where_half_of_what_holds_something_has_them(
    records: list[ImageRecord], *, supervise: bool
) -> None:
    assert has_box_supervision(records) == supervise


def test_layers__are_chosen_with_the_share_of_boxes_in_words() -> None:
    chosen = choose_layers(None, BOXED + 3 * BARE)
    assert chosen.value == EVERY_LAYER
    assert "in 25 % of the training images" in chosen.reason
    assert choose_layers(5, BOXED).value == 5


def changed(recipe: str, records: list[ImageRecord], **changes: Any) -> tuple[AnySettings, str]:
    """Return the settings that are trained with, and what is told of another recipe."""
    found = find_recipe(recipe)
    settings = recipe_settings(found, changes)
    if not isinstance(settings, NemoSettings):
        assert found.build != find_recipe("nemo").build  # only that builder falls back
        return settings, ""
    fallback = fallback_without_boxes(settings, found, records)
    return (settings, "") if fallback is None else (fallback.settings, fallback.in_words)


def test_nemo__takes_the_settings_of_places_and_keeps_what_was_changed() -> None:
    found, told = changed(
        "nemo", BARE, width_px=640, height_px=480, epochs=2, copy_paste=0.5, color_transfer_prob=0.1
    )
    assert type(found) is PatchesSettings
    usual = find_recipe("patches").settings.model_dump()
    assert found.model_dump() == {**usual, "width_px": 640, "height_px": 480, "epochs": 2}
    assert "in 0 % of the training images" in told
    assert told.endswith("Without meaning there: color_transfer_prob, copy_paste.")


@pytest.mark.parametrize(
    ("recipe", "records", "changes"),
    [
        ("nemo", BOXED, {}),
        ("nemo", BARE, {"trained_layers": 1}),
        ("nemo-finetune", BARE, {}),
        ("probe", BARE, {}),
        ("patches", BARE, {}),
    ],
)
def test_settings__stay_where_boxes_teach_or_layers_are_set(
    recipe: str, records: list[ImageRecord], changes: dict[str, Any]
) -> None:
    found, told = changed(recipe, records, **changes)
    assert found == recipe_settings(find_recipe(recipe), changes)
    assert isinstance(found, NemoSettings) == recipe.startswith("nemo")
    assert told == ""
