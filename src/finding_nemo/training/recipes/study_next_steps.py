"""What the course study named as its next steps, for its own recipes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from finding_nemo.core.errors import SettingsError
from finding_nemo.training.recipes.registry import STUDY_RECIPES

# The study: a falling learning rate, a loss that rare categories are heard in, less over-fitting.
# Summed over categories BCE does not fade with their number; AdamW decays the weights; the average
# of the weights is what larger models are judged by; pixels are centred as ImageNet's were.
STUDY_NEXT_STEPS: Mapping[str, Any] = MappingProxyType(
    {
        "optimizer": "adamw",
        "learning_rate": 5e-4,
        "weight_decay": 0.05,
        "schedule": "one-cycle",
        "loss": "summed-bce",
        "ema_decay": 0.995,
        "normalise": True,
    }
)


def with_study_next_steps(recipe: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that give a recipe of the study its own next steps; `changes` come on top.

    A larger network is one more change: `backbone`, any timm model.

    Raises:
        SettingsError: If the recipe is not one of the study's.
    """
    if recipe not in STUDY_RECIPES:
        raise SettingsError(
            f"--study-next-steps is for the study's recipes ({', '.join(STUDY_RECIPES)}); "
            f"{recipe!r} has these settings already, or none."
        )
    return {**STUDY_NEXT_STEPS, **changes}
