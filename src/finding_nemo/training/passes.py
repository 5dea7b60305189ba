"""How often a data set is shown, where its recipe does not say."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.records import ImageRecord
from finding_nemo.training.layers import EVERY_LAYER, choose_layers
from finding_nemo.training.parts import Notify
from finding_nemo.training.recipes import LoopSettings, SmallAnimalSettings

# 3,700 frames shown once to every layer find more on new dives than shown twice or three times;
# the highest layer alone learns the dives slower (docs/experiments.md, "Every layer trained").
_VIEWS = 4_000
_VIEWS_OF_HIGHEST = 12_000
_MOST_PASSES = 10


def passes_over(n_images: int, n_views: int) -> int:
    """Return how many passes over `n_images` show about `n_views`; at least 1, at most 10."""
    return max(1, min(round(n_views / max(n_images, 1)), _MOST_PASSES))


def with_passes(
    settings: LoopSettings, records: Sequence[ImageRecord], notify: Notify
) -> LoopSettings:
    """Return settings whose `epochs` are above 0, for training images `records`."""
    if settings.epochs or not isinstance(settings, SmallAnimalSettings):
        return settings
    layers = choose_layers(settings.trained_layers, records).layers
    n_views = _VIEWS if layers >= EVERY_LAYER else _VIEWS_OF_HIGHEST
    epochs = passes_over(len(records), n_views)
    notify(
        f"epochs {epochs}: {len(records)} training images, shown until some {n_views} views are "
        "seen."
    )
    return settings.model_copy(update={"epochs": epochs})
