"""Which settings a search may change, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finding_nemo.core.config import json_or_text, split_assignments
from finding_nemo.core.errors import SettingsError
from finding_nemo.training.recipes.registry import Recipe, recipe_settings


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`.

    Attributes:
        low: The lowest, allowed itself.
        high: The highest, allowed itself.
        log: Whether a factor counts and not a difference.
        is_integer: Whether only whole numbers are meant.
    """

    low: float
    high: float
    log: bool
    is_integer: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some values."""

    values: tuple[Any, ...]


Space = Mapping[str, Span | OneOf]


def search_space(
    recipe: Recipe, wanted: Sequence[str] = (), *, common: Mapping[str, Any] | None = None
) -> Space:
    """Return what to try.

    Args:
        recipe: What is trained.
        wanted: Words `key=low..high`, `key=low..high:log` or `key=a,b,c`; none for the usual of
            the recipe.
        common: Settings that every trial has; a bound is checked beside them.

    Raises:
        SettingsError: Listing every word that is none of these, every unknown setting, and every
            value out of the setting's range.
    """
    words = tuple(wanted) or recipe.searched
    if not words:
        raise SettingsError(f"The recipe {recipe.name} has no settings that could be searched.")
    space: dict[str, Span | OneOf] = {}
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


def _parsed(text: str) -> Span | OneOf:
    span, _, scale = text.partition(":")
    low, dots, high = span.partition("..")
    if not dots:
        return OneOf(tuple(json_or_text(word.strip()) for word in text.split(",")))
    if scale not in ("", "log"):
        raise ValueError(f"{text!r} ends in {scale!r}; only :log is known")
    ends = float(low), float(high)
    if not ends[0] < ends[1] or (scale and ends[0] <= 0):
        what = "rise" if not scale else "rise from above 0"
        raise ValueError(f"{text!r} does not {what}")
    is_integer = all(end.strip().lstrip("-").isdigit() for end in (low, high))
    return Span(*ends, log=bool(scale), is_integer=is_integer)


def _check_ends(recipe: Recipe, space: Space, common: Mapping[str, Any]) -> None:
    """A bound that the recipe refuses would fail only in the hundredth training."""
    for position in (0, -1):
        ends = {key: _ends(span)[position] for key, span in space.items()}
        recipe_settings(recipe, {**common, **ends})
    for key, span in space.items():
        if isinstance(span, OneOf):
            for value in span.values:
                recipe_settings(recipe, {**common, key: value})


def _ends(span: Span | OneOf) -> tuple[Any, ...]:
    if isinstance(span, OneOf):
        return span.values
    return tuple(int(end) if span.is_integer else end for end in (span.low, span.high))
