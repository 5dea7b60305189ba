"""Adapted probabilities of many frames into the one answer to each, all frames at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finding_nemo.core.arrays import Bools, Float32s, Float64s, Ints
from finding_nemo.core.assessment import AnswerLevel
from finding_nemo.uncertainty.answers import (
    GUESS,
    LIKELY,
    SURE,
    WANTED,
    WHY_GUESS,
    WHY_LIKELY,
    WHY_SURE,
    WHY_SURE_GROUP,
)
from finding_nemo.uncertainty.rollup import roll_up

# No category is a frame's first guess: it failed, or nothing is there.
NO_CATEGORY = -1
WHY_REVIEWED = "A person looked at this frame."
WHY_EMPTY = "A person looked at this frame and saw nothing in it."
_NAMELESS = ("", "none")
_OF_KINDS: tuple[tuple[AnswerLevel, str, str], ...] = (
    ("category", SURE, WHY_SURE),
    ("supercategory", SURE, WHY_SURE_GROUP),
    ("category", LIKELY, WHY_LIKELY),
    ("category", GUESS, WHY_GUESS),
)


@dataclass(frozen=True, kw_only=True)
class FrameAnswers:
    """The one answer to each of some frames.

    Attributes:
        texts: A category or a supercategory, "" where a person saw nothing.
        levels: Which of the two it is.
        confidences: "sure", "likely" or "guess".
        probabilities: Of the answer, NaN where it is "", shape (frames,).
        first_ids: Category id of the first guess, `NO_CATEGORY` where the answer is "", (frames,).
        reasons: Why it is no finer and no surer.
    """

    texts: list[str]
    levels: list[AnswerLevel]
    confidences: list[str]
    probabilities: Float32s
    first_ids: Ints
    reasons: list[str]


def answer_frames(values: Float32s, categories: Sequence[Mapping[str, Any]]) -> FrameAnswers:
    """Return the answers that follow from adapted probabilities.

    These are calibrated on simulated reviews, so a word is a bound on them.

    Args:
        values: Calibrated probabilities, shape (frames, categories).
        categories: The category table, JSON-ready, in column order.
    """
    names = [str(entry.get("name", "")) for entry in categories]
    ids = np.array([int(entry["category_id"]) for entry in categories], dtype=np.int64)
    groups, of_groups = roll_up(values, [str(c.get("supercategory", "none")) for c in categories])
    best, group = values.argmax(axis=1), of_groups.argmax(axis=1)
    chance = np.take_along_axis(values, best[:, np.newaxis], axis=1)[:, 0]
    of_group = np.take_along_axis(of_groups, group[:, np.newaxis], axis=1)[:, 0]
    kinds = _kinds(chance.astype(np.float64), of_group, _named(groups)[group])
    of_kinds = [_OF_KINDS[kind] for kind in kinds.tolist()]
    is_group = kinds == 1
    return FrameAnswers(
        texts=[
            groups[g] if is_wide else names[b]
            for b, g, is_wide in zip(best.tolist(), group.tolist(), is_group.tolist(), strict=True)
        ],
        levels=[level for level, _, _ in of_kinds],
        confidences=[word for _, word, _ in of_kinds],
        probabilities=np.where(is_group, of_group, chance).astype(np.float32),
        first_ids=ids[best],
        reasons=[why for _, _, why in of_kinds],
    )


def _named(groups: Sequence[str]) -> Bools:
    return np.array([name not in _NAMELESS for name in groups], dtype=np.bool_)


def _kinds(chance: Float64s, of_group: Float64s, is_named: Bools) -> Ints:
    """Return 0 for a sure category, 1 for a sure group, 2 for likely, 3 for a guess."""
    return np.select(
        [chance >= WANTED[SURE], is_named & (of_group >= WANTED[SURE]), chance >= WANTED[LIKELY]],
        [0, 1, 2],
        default=3,
    ).astype(np.int64)


def answer_seen(
    present: Bools, values: Float32s, categories: Sequence[Mapping[str, Any]]
) -> FrameAnswers:
    """Return the answers to frames that a person looked at and named in whole.

    Args:
        present: What is there, shape (frames, categories).
        values: Probabilities with what is known in them, same shape.
        categories: The category table, JSON-ready, in column order.
    """
    is_empty = np.asarray(~present.any(axis=1), dtype=np.bool_)
    first = np.where(present, values, -1.0).argmax(axis=1)
    names = [str(entry.get("name", "")) for entry in categories]
    ids = np.array([int(entry["category_id"]) for entry in categories], dtype=np.int64)
    chance = np.take_along_axis(values, first[:, np.newaxis], axis=1)[:, 0]
    return FrameAnswers(
        texts=[
            "" if e else names[f] for f, e in zip(first.tolist(), is_empty.tolist(), strict=True)
        ],
        levels=["category"] * len(first),
        confidences=[SURE] * len(first),
        probabilities=np.where(is_empty, np.nan, chance).astype(np.float32),
        first_ids=np.where(is_empty, NO_CATEGORY, ids[first]),
        reasons=[WHY_EMPTY if empty else WHY_REVIEWED for empty in is_empty.tolist()],
    )
