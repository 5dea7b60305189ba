"""Which settings a search may change, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finding_nemo.core.config import json_or_text, split_assignments
from finding_nemo.core.errors import SettingsError
from finding_nemo.training.recipes.registry import Kind, Recipe, recipe_settings

_LOOP = ("learning_rate=1e-4..1e-2:log",)
# What moved the score most in docs/experiments/, each around the recipe's own value.
_USUAL: Mapping[Kind, tuple[str, ...]] = {
    "probe": (
        "learning_rate=2e-4..1e-2:log",
        "dropout=0.3..0.9",
        "weight_decay=1e-5..0.3:log",
        "epochs=5..40",
    ),
    "patches": (
        "learning_rate=2e-4..1e-2:log",
        "dropout=0.3..0.9",
        "patch_loss_weight=1.0..20.0:log",
        "weight_decay=1e-4..0.3:log",
        "epochs=2..20",
    ),
    "small-animals": (
        "learning_rate=3e-4..3e-3:log",
        "backbone_rate=0.05..1.0:log",
        "dropout=0.2..0.8",
        "patch_loss_weight=1.0..20.0:log",
        "copy_paste=0.0..3.0",
    ),
    "network": _LOOP,
}


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`.

    Attributes:
        low: The lowest, allowed itself.
        high: The highest, allowed itself.
        log: Whether a factor counts and not a difference.
        whole: Whether only whole numbers are meant.
    """

    low: float
    high: float
    log: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]


Space = Mapping[str, Span | Choice]


def search_space(
    recipe: Recipe, wanted: Sequence[str] = (), *, common: Mapping[str, Any] | None = None
) -> Space:
    """Return what to try.

    Args:
        recipe: What is trained.
        wanted: Words `key=low..high`, `key=low..high:log` or `key=a,b,c`; none for the usual of
            the recipe's kind.
        common: Settings that every trial has; a bound is checked beside them.

    Raises:
        SettingsError: Listing every word that is none of these, every unknown setting, and every
            value out of the setting's range.
    """
    words = tuple(wanted) or _USUAL.get(recipe.kind, ())
    if not words:
        raise SettingsError(f"The recipe {recipe.name} has no settings that could be searched.")
    space: dict[str, Span | Choice] = {}
    faults = []
    for key, text in split_assignments(words, option="--try").items():
        try:
            space[key] = _parsed(text)
        except ValueError as error:
            faults.append(f"  - {key}: {error}")
    if faults:
        raise SettingsError(
            "--try takes key=low..high, key=low..high:log or key=a,b,c:\n" + "\n".join(faults)
        )
    _check_ends(recipe, space, common or {})
    return space


def _parsed(text: str) -> Span | Choice:
    span, _, scale = text.partition(":")
    low, dots, high = span.partition("..")
    if not dots:
        return Choice(tuple(json_or_text(word.strip()) for word in text.split(",")))
    if scale not in ("", "log"):
        raise ValueError(f"{text!r} ends in {scale!r}; only :log is known")
    ends = float(low), float(high)
    if not ends[0] < ends[1] or (scale and ends[0] <= 0):
        what = "rise" if not scale else "rise from above 0"
        raise ValueError(f"{text!r} does not {what}")
    whole = all(end.strip().lstrip("-").isdigit() for end in (low, high))
    return Span(*ends, log=bool(scale), whole=whole)


def _check_ends(recipe: Recipe, space: Space, common: Mapping[str, Any]) -> None:
    """A bound that the recipe refuses would fail only in the hundredth training."""
    for place in (0, -1):
        ends = {key: _ends(span)[place] for key, span in space.items()}
        recipe_settings(recipe, {**common, **ends})
    for key, span in space.items():
        if isinstance(span, Choice):
            for value in span.values:
                recipe_settings(recipe, {**common, key: value})


def _ends(span: Span | Choice) -> tuple[Any, ...]:
    if isinstance(span, Choice):
        return span.values
    return tuple(int(end) if span.whole else end for end in (span.low, span.high))
