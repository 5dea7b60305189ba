"""What `nemo` does where nobody has drawn boxes."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.records import ImageRecord
from finding_nemo.core.reporter import Tell
from finding_nemo.training.optimization.layer_decay import boxes_in_words, has_box_supervision
from finding_nemo.training.recipes.registry import (
    NemoSettings,
    TrainerSettings,
    find_recipe,
    recipe_settings,
)

_INSTEAD = "patches"


def settings_without_boxes(
    settings: TrainerSettings, recipe: str, records: Sequence[ImageRecord], notify: Tell
) -> TrainerSettings:
    """Return the settings of the recipe `patches` where boxes are wanted and there are few.

    Where labels say what is in a frame and nothing says where, a network that is trained through
    all layers learns its dives by heart: macro AP 0.116 on new ones, where `probe` has 0.147
    (docs/experiments/0025-without-boxes.md). Settings that a person changed are kept where they mean
    the same.

    Args:
        settings: Of `recipe`; anything that looks at patches and chooses its layers itself.
        recipe: Its name.
        records: Training images.
        notify: Told what was chosen.
    """
    chooses = isinstance(settings, NemoSettings) and settings.trained_layers is None
    if not chooses or has_box_supervision(records):
        return settings
    usual = find_recipe(recipe).settings.model_dump()
    changed = {key: value for key, value in settings.model_dump().items() if value != usual[key]}
    instead = find_recipe(_INSTEAD)
    known = set(type(instead.settings).model_fields)
    kept = {key: value for key, value in changed.items() if key in known}
    dropped = sorted(set(changed) - known)
    found = recipe_settings(instead, kept)
    notify(
        f"{boxes_in_words(records)}, and half is wanted to train the network itself: it stays as "
        f"it is, as in recipe "
        f"{_INSTEAD} (--set trained_layers=1 trains its highest layer)."
        + (f" Without meaning there: {', '.join(dropped)}." if dropped else "")
    )
    if not isinstance(found, TrainerSettings):
        raise TypeError(f"recipe {_INSTEAD} has no training loop")
    return found
