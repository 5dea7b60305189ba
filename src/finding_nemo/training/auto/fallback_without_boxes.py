"""What `nemo` does where nobody has drawn boxes, or its backbone cannot be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finding_nemo.core.records import ImageRecord
from finding_nemo.training.auto.box_supervision import boxes_in_words, has_box_supervision
from finding_nemo.training.recipes.registry import Recipe, find_recipe, recipe_settings
from finding_nemo.training.recipes.settings import AnySettings, NemoSettings, is_onnx

_INSTEAD = "patches"


@dataclass(frozen=True, slots=True)
class Fallback:
    """Another recipe in place of the one that was asked for.

    Attributes:
        recipe: Its name.
        settings: Its settings, with what a person changed where it means the same.
        reason: Why, in words that the bundle keeps.
        hint: How the network itself is trained nevertheless; "" where it cannot be.
        dropped: Settings that a person changed and that it does not have.
    """

    recipe: str
    settings: AnySettings
    reason: str
    hint: str
    dropped: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """Return it as it is printed."""
        words = f"{self.reason}{f' ({self.hint})' if self.hint else ''}."
        if self.dropped:
            words += f" Without meaning there: {', '.join(self.dropped)}."
        return words


def fallback_without_boxes(
    settings: NemoSettings, recipe: Recipe, records: Sequence[ImageRecord]
) -> Fallback | None:
    """Return the recipe `patches` where boxes are wanted and there are few; else nothing.

    Where labels say what is in a frame and nothing says where, a network that is trained through
    all layers overfits its dives: macro AP 0.116 on new ones, where `probe` has 0.147
    (docs/experiments/0025-without-boxes.md).

    Args:
        settings: Of `recipe`; with `trained_layers` set nothing is chosen.
        recipe: What was asked for.
        records: Training images.
    """
    if settings.trained_layers is not None or has_box_supervision(records):
        return None
    return _fallback(
        settings,
        recipe,
        reason=f"{boxes_in_words(records)}, and half is wanted to train the network itself: it "
        f"stays as it is, as in recipe {_INSTEAD}",
        hint="--set trained_layers=1 trains its highest layer",
    )


def choose_fallback(
    settings: NemoSettings, recipe: Recipe, records: Sequence[ImageRecord]
) -> Fallback | None:
    """Return the recipe `patches` where the network cannot or should not be trained; else nothing.

    An ONNX file has no weights that torch could change, so its features are taken as they are.

    Args:
        settings: Of `recipe`.
        recipe: What was asked for.
        records: Training images.
    """
    if not is_onnx(settings.backbone):
        return fallback_without_boxes(settings, recipe, records)
    return _fallback(
        settings,
        recipe,
        reason="the backbone is an ONNX file, which cannot be trained: it stays as it is, as in "
        f"recipe {_INSTEAD}",
        hint="",
    )


def _fallback(settings: NemoSettings, recipe: Recipe, *, reason: str, hint: str) -> Fallback:
    usual = recipe.settings.model_dump()
    changed = {key: value for key, value in settings.model_dump().items() if value != usual[key]}
    instead = find_recipe(_INSTEAD)
    known = set(type(instead.settings).model_fields)
    return Fallback(
        recipe=_INSTEAD,
        settings=recipe_settings(instead, {k: v for k, v in changed.items() if k in known}),
        reason=reason,
        hint=hint,
        dropped=tuple(sorted(set(changed) - known)),
    )
