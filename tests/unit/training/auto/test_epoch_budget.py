"""How many epochs are trained where nobody said."""

from __future__ import annotations

import pytest

from finding_nemo.training.auto.epoch_budget import (
    EVERY_LAYER_BUDGET,
    FROZEN_BUDGET,
    SOME_LAYERS_BUDGET,
    EpochBudget,
    choose_epochs,
    epochs_within,
)


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


def test_epochs__what_is_set_stays_and_what_is_chosen_has_its_reason() -> None:
    assert choose_epochs(3, 1000, EVERY_LAYER_BUDGET).value == 3
    chosen = choose_epochs(0, 1000, EVERY_LAYER_BUDGET)
    assert chosen.value == 4
    assert chosen.in_words == (
        "4: 1000 training images, shown until some 4000 views are seen, in at most 10 passes"
    )


@pytest.mark.parametrize(
    ("budget", "epochs"), [(EVERY_LAYER_BUDGET, 1), (SOME_LAYERS_BUDGET, 3), (FROZEN_BUDGET, 6)]
)
def test_epochs__are_more_where_less_is_trained(budget: EpochBudget, epochs: int) -> None:
    assert choose_epochs(0, 4000, budget).value == epochs
