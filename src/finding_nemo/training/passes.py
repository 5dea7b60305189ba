"""How often a data set is shown, where its recipe does not say."""

from __future__ import annotations

from finding_nemo.training.parts import Notify
from finding_nemo.training.recipes import LoopSettings

# 3,700 frames shown once find more on new dives than shown twice or three times
# (docs/experiments.md, "Every layer trained").
_VIEWS = 4_000
_MOST_PASSES = 10


def passes_over(n_images: int) -> int:
    """Return how many passes over `n_images` show about as many views as are worth showing."""
    return max(1, min(round(_VIEWS / max(n_images, 1)), _MOST_PASSES))


def with_passes(settings: LoopSettings, n_images: int, notify: Notify) -> LoopSettings:
    """Return settings whose `epochs` are above 0."""
    if settings.epochs:
        return settings
    epochs = passes_over(n_images)
    notify(
        f"epochs {epochs}: {n_images} training images, shown until some {_VIEWS} views are seen."
    )
    return settings.model_copy(update={"epochs": epochs})
