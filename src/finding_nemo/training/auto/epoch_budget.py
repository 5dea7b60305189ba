"""How often a data set is shown, where its recipe does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Tell
from finding_nemo.training.optimization.layer_decay import EVERY_LAYER, choose_layers
from finding_nemo.training.recipes.registry import NemoSettings, PatchesSettings, TrainerSettings


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
_EVERY_LAYER = EpochBudget(4_000, 10)
_SOME_LAYERS = EpochBudget(12_000, 10)
_FROZEN = EpochBudget(24_000, 30)


def epochs_within(n_images: int, budget: EpochBudget) -> int:
    """Return how many passes over `n_images` show about so many views; at least 1."""
    return max(1, min(round(budget.views / max(n_images, 1)), budget.max_epochs))


def with_auto_epochs(
    settings: TrainerSettings, records: Sequence[ImageRecord], notify: Tell
) -> TrainerSettings:
    """Return settings whose `epochs` are above 0, for training images `records`."""
    if settings.epochs or not isinstance(settings, PatchesSettings):
        return settings
    budget = _FROZEN
    if isinstance(settings, NemoSettings):
        layers = choose_layers(settings.trained_layers, records).layers
        budget = _EVERY_LAYER if layers >= EVERY_LAYER else _SOME_LAYERS
    epochs = epochs_within(len(records), budget)
    notify(
        f"epochs {epochs}: {len(records)} training images, shown until some {budget.views} views "
        f"are seen, in at most {budget.max_epochs} passes."
    )
    return settings.model_copy(update={"epochs": epochs})
