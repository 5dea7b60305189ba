"""The one answer to a frame, never empty, with a word for how far to trust it.

The finest answer that is sure is given: the most probable category, else the most probable
supercategory; else the finest that is likely; else the best guess. What the words are worth on
dives never seen is measured in docs/experiments/0037-answer-words.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s, Ints
from finding_nemo.core.assessment import Answer, AnswerLevel, Confidence
from finding_nemo.uncertainty.calibration import ValidationView
from finding_nemo.uncertainty.cautious_bars import CheckedAnswers, fit_bars
from finding_nemo.uncertainty.ood.detector import NoveltyDetector
from finding_nemo.uncertainty.ood.percentiles import novelty_percentile
from finding_nemo.uncertainty.rollup import roll_up

SURE: Confidence = "sure"
LIKELY: Confidence = "likely"
GUESS: Confidence = "guess"
CONFIDENCES: tuple[Confidence, ...] = (SURE, LIKELY, GUESS)

# How often an answer with the word should be right on a new dive.
WANTED = {SURE: 0.9, LIKELY: 0.7}
# Probabilities promise more on new dives than they keep, whatever validation dives say. A
# supercategory's is a sum, which promises more still. Lower ones were measured: with 0.90 and 0.95
# less than nine in ten are right (docs/experiments/0037-answer-words.md).
_LOWEST_OF_CATEGORIES = {SURE: 0.94, LIKELY: 0.6}
_LOWEST_OF_GROUPS = {SURE: 0.97, LIKELY: 0.7}
# A frame further from the training frames than this share of the validation frames is never sure.
FAMILIAR_UP_TO = 0.9
# The novelty that errs least about answers: the distance to the nearest training frames.
FAMILIARITY_SCORE = "knn"

WHY_SURE = "The name itself is sure."
WHY_SURE_GROUP = "Only the group is sure, not which of its kinds."
WHY_LIKELY = "The name is likely, but not sure."
WHY_UNFAMILIAR = "Nothing is called sure here: the frame is unlike those of the training."
WHY_LIKELY_GROUP = "Only the group is likely, not which of its kinds."
WHY_GUESS = "No name and no group is likely: this is only the best guess."
WHY_UNCHECKED = "The bundle holds no validation frames, so nobody knows how good its guesses are."
WHY_UNSEEN = "The bundle opens no image: it guesses from what is frequent, or near in time."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBars:
    """From which probability on an answer gets which word.

    Attributes:
        categories: Of each word but `guess`, one bar a category.
        groups: Of each word but `guess`, one bar a supercategory, in the order of `roll_up`;
            infinite for one that is no coarser than its only category.
    """

    categories: dict[Confidence, Float64s]
    groups: dict[Confidence, Float64s]


@dataclass(frozen=True, slots=True)
class _Best:
    """The best name of each image on one level, and its probability."""

    names: Ints
    scores: Float64s

    @classmethod
    def of(cls, probabilities: AnyFloats, ranking: AnyFloats | None = None) -> _Best:
        names = np.argmax(probabilities if ranking is None else ranking, axis=1)
        scores = np.take_along_axis(probabilities, names[:, np.newaxis], axis=1)[:, 0]
        return cls(names, scores.astype(np.float64))

    def checked(self, truth: Bools, dives: Sequence[str]) -> CheckedAnswers:
        is_right = np.take_along_axis(truth, self.names[:, np.newaxis], axis=1)[:, 0]
        return CheckedAnswers(
            scores=self.scores,
            is_right=is_right,
            names=self.names,
            dives=dives,
            n_names=truth.shape[1],
        )


def fit_answer_bars(
    view: ValidationView, probabilities: AnyFloats, supercategories: Sequence[str]
) -> AnswerBars:
    """Choose the bars on validation images, from the finest and surest answer down.

    Each bar is fitted to the images that the answers before it leave over.

    Args:
        view: Truth and dives of the validation images.
        probabilities: Calibrated, shape (images, categories).
        supercategories: Of each category.
    """
    _, group_probabilities = roll_up(probabilities, supercategories)
    _, group_truth = roll_up(view.truth.astype(np.float64), supercategories, rule="max")
    by_category = _Best.of(probabilities).checked(view.truth, view.dives)
    by_group = _Best.of(group_probabilities).checked(group_truth > 0, view.dives)
    useless = ~_coarser(supercategories)
    bars = AnswerBars(categories={}, groups={})
    left = np.ones(len(view.truth), dtype=np.bool_)
    for word, wanted in WANTED.items():
        lowest = _LOWEST_OF_CATEGORIES[word]
        found = fit_bars(by_category.kept(left), wanted=wanted, lowest=lowest)
        bars.categories[word] = found
        left = left & (by_category.scores < found[by_category.names])
        found = fit_bars(by_group.kept(left), wanted=wanted, lowest=_LOWEST_OF_GROUPS[word])
        bars.groups[word] = np.where(useless, np.inf, found)
        left = left & (by_group.scores < bars.groups[word][by_group.names])
    return bars


def _coarser(supercategories: Sequence[str]) -> Bools:
    """Return which supercategories, in the order of `roll_up`, say less than a category."""
    names, counts = np.unique(np.asarray(supercategories, dtype=np.str_), return_counts=True)
    useful: Bools = (counts > 1) & (names != "")
    return useful


def give_answers(
    probabilities: AnyFloats,
    names: Sequence[str],
    supercategories: Sequence[str],
    *,
    bars: AnswerBars | None,
    familiar: Bools | None = None,
    ranking: AnyFloats | None = None,
) -> list[Answer]:
    """Return one answer an image.

    Args:
        probabilities: Calibrated, shape (images, categories).
        names: Of each category.
        supercategories: Of each category.
        bars: From `fit_answer_bars`; `None` where there are no validation images.
        familiar: Whether each image is near enough to the training images to be sure of, shape
            (images,); `None`: all are.
        ranking: What categories are ranked by, shape of `probabilities`; `None`: by those. A mere
            guess is the first of this ranking, as in the row's list of guesses.
    """
    if bars is None:
        return guesses(probabilities, names, why=WHY_UNCHECKED, ranking=ranking)
    groups, group_probabilities = roll_up(probabilities, supercategories)
    category, group = _Best.of(probabilities), _Best.of(group_probabilities)
    first = _Best.of(probabilities, ranking)
    known = np.ones(len(probabilities), dtype=np.bool_) if familiar is None else familiar
    answers = []
    for row in range(len(probabilities)):
        word, level, why = _reached(category, group, bars, row, is_familiar=bool(known[row]))
        of_names = first if word == GUESS else category
        best, texts = (group, groups) if level == "supercategory" else (of_names, names)
        answers.append(
            Answer(
                text=texts[int(best.names[row])],
                level=level,
                confidence=word,
                probability=float(best.scores[row]),
                why=why,
            )
        )
    return answers


def _reached(
    category: _Best, group: _Best, bars: AnswerBars, row: int, *, is_familiar: bool
) -> tuple[Confidence, AnswerLevel, str]:
    """Return the word that an image's best category or supercategory reaches, and why no more."""
    name_reasons = {SURE: WHY_SURE, LIKELY: WHY_LIKELY}
    group_reasons = {SURE: WHY_SURE_GROUP, LIKELY: WHY_LIKELY_GROUP}
    is_held_back = False
    for word in WANTED:
        by_name = category.scores[row] >= bars.categories[word][category.names[row]]
        by_group = group.scores[row] >= bars.groups[word][group.names[row]]
        if word == SURE and not is_familiar:
            is_held_back = bool(by_name or by_group)
            continue
        if by_name:
            return word, "category", WHY_UNFAMILIAR if is_held_back else name_reasons[word]
        if by_group:
            why = WHY_UNFAMILIAR if is_held_back else group_reasons[word]
            return word, "supercategory", why
    return GUESS, "category", WHY_UNFAMILIAR if is_held_back else WHY_GUESS


def familiar_images(scores: AnyFloats, detector: NoveltyDetector) -> Bools:
    """Return which images are near enough to the training images to be sure of.

    Args:
        scores: Every novelty score, shape (images, scores), in the detector's order.
        detector: What gave them.
    """
    name = FAMILIARITY_SCORE if FAMILIARITY_SCORE in detector.names else detector.default
    of_images = scores[:, detector.names.index(name)].astype(np.float64)
    near: Bools = novelty_percentile(of_images, detector.quantiles[name]) <= FAMILIAR_UP_TO
    return near


def guesses(
    probabilities: AnyFloats, names: Sequence[str], *, why: str, ranking: AnyFloats | None = None
) -> list[Answer]:
    """Return the best guess of each image, for a reason why it is no more than that."""
    best = _Best.of(probabilities, ranking)
    return [
        Answer(
            text=names[int(name)], level="category", confidence=GUESS, probability=score, why=why
        )
        for name, score in zip(best.names, best.scores.tolist(), strict=True)
    ]
