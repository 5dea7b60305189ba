"""What is said of a training beforehand agrees with what was measured."""

from __future__ import annotations

import pytest

from finding_nemo.training.recipes.known_costs import KNOWN_COSTS
from finding_nemo.training.recipes.registry import RECIPES

_TRAIN, _VAL = 3_675, 652


@pytest.mark.parametrize(
    ("recipe", "epochs", "pixels", "core_minutes"),
    [
        ("probe", 30, 224 * 224, 2),  # one minute of two cores
        ("nemo", 1, 480 * 352, 27),
        ("logistic-regression", 3, 224 * 224, 6),
        ("basic-nn", 3, 224 * 224, 14),
    ],
)
def test_core_seconds__are_those_that_were_measured(
    recipe: str, epochs: int, pixels: int, core_minutes: float
) -> None:
    seconds = KNOWN_COSTS[recipe].core_seconds(
        n_images=_TRAIN + _VAL, n_views=epochs * _TRAIN, pixels=pixels
    )
    assert seconds / 60 == pytest.approx(core_minutes, rel=0.15)


def test_core_seconds__by_hand() -> None:
    cost = KNOWN_COSTS["probe"]
    # Twice the pixels: 30 s to start, and 2 x (100 x 0.020 + 1,000 x 0.0001) s.
    assert cost.core_seconds(n_images=100, n_views=1_000, pixels=2 * 224 * 224) == pytest.approx(
        30 + 2 * (2.0 + 0.1)
    )
    # 1,280 features of 4 bytes an image.
    assert cost.cache_bytes(n_images=10, pixels=224 * 224) == pytest.approx(10 * 1280 * 4)


def test_costs__are_of_recipes() -> None:
    assert set(KNOWN_COSTS) <= set(RECIPES)
