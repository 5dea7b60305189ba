"""How many epochs are trained, where a recipe does not say."""

from __future__ import annotations

from dataclasses import dataclass

from finding_nemo.core.choice import Choice


@dataclass(frozen=True, slots=True)
class EpochBudget:
    """How much is shown.

    Attributes:
        views: Of all images together.
        max_epochs: Over few images.
    """

    views: int
    max_epochs: int


# 3,700 frames shown once to every layer find more on new dives than shown twice or three times;
# the highest layer alone learns the dives slower, heads on a frozen network slower still
# (docs/experiments/0021-every-layer-trained.md and 0027-frozen-patches.md).
EVERY_LAYER_BUDGET = EpochBudget(4_000, 10)
SOME_LAYERS_BUDGET = EpochBudget(12_000, 10)
FROZEN_BUDGET = EpochBudget(24_000, 30)


def epochs_within(n_images: int, budget: EpochBudget) -> int:
    """Return how many epochs over `n_images` show about so many views; at least 1."""
    return max(1, min(round(budget.views / max(n_images, 1)), budget.max_epochs))


def choose_epochs(wanted: int, n_images: int, budget: EpochBudget) -> Choice[int]:
    """Return `wanted`, or as many epochs as the budget has for `n_images` training images.

    Args:
        wanted: As set; 0 to choose.
        n_images: Training images.
        budget: Of the recipe.
    """
    if wanted:
        return Choice(wanted, "as set")
    return Choice(
        epochs_within(n_images, budget),
        f"{n_images} training images, shown until some {budget.views} views are seen, in at most "
        f"{budget.max_epochs} passes",
    )
