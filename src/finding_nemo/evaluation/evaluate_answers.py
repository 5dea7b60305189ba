"""How often the one answer to a frame was right, word by word: sure, likely, guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import Bools
from finding_nemo.core.assessment import rank_of_level
from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.evaluation.evaluation_set import EvaluationSet
from finding_nemo.marine.resolve_names import resolve_names
from finding_nemo.marine.taxonomy_table import TaxonomyTable
from finding_nemo.metrics.bootstrap import share_interval
from finding_nemo.results.schema import PredictionTable
from finding_nemo.uncertainty.answers import CONFIDENCES


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScore:
    """The answers that have one word.

    Attributes:
        word: A name of `CONFIDENCES`.
        n_images: Judged images with such an answer.
        n_right: Those that hold the category, or one of the supercategory or taxon.
        share_right: One through the other, in [0, 1]; NaN without any.
        low: Lower end of its 95 % interval by dive; NaN without any, or with one dive alone.
        high: Upper end.
    """

    word: str
    n_images: int
    n_right: int
    share_right: float
    low: float
    high: float


def evaluate_answers(
    evaluation_set: EvaluationSet,
    predictions: PredictionTable,
    *,
    taxa: TaxonomyTable | None = None,
) -> tuple[AnswerScore, ...]:
    """Return one score a word, the surest first; nothing for a file without answers.

    An answer to an image that holds nothing known is wrong.

    Args:
        evaluation_set: Predictions laid beside the truth.
        predictions: The same, with their answers.
        taxa: The tree that answers by rank are of; the package's if left out.
    """
    answers = predictions.answers
    if answers is None:
        return ()
    rows = evaluation_set.rows.tolist()
    words = np.array([answers.confidences[row] or "" for row in rows], dtype=np.str_)
    given = [(answers.texts[row], answers.levels[row]) for row in rows]
    is_right = _right(evaluation_set, given, taxa)
    dives = np.array(evaluation_set.dives, dtype=np.str_)
    return tuple(
        _score(word, is_right[words == word], dives[words == word]) for word in CONFIDENCES
    )


def _right(
    evaluation_set: EvaluationSet,
    answers: Sequence[tuple[str | None, str | None]],
    taxa: TaxonomyTable | None,
) -> Bools:
    """Return whether each image holds what its answer says, shape (images,)."""
    table = evaluation_set.dataset.categories
    names = np.array(table.names, dtype=np.str_)
    groups = np.array(table.supercategories, dtype=np.str_)
    is_by_rank = any(rank_of_level(level) for _, level in answers)
    lineages = _lineages(table, taxa) if is_by_rank else ()
    within: dict[tuple[str | None, str | None], Bools] = {}
    for text, level in dict.fromkeys(answers):
        columns: Bools = (names == (text or "")) | (groups == (text or ""))
        if rank_of_level(level):
            columns = columns | np.array([text in lineage for lineage in lineages], dtype=np.bool_)
        within[text, level] = columns
    right = [
        text is not None and bool(held[within[text, level]].any())
        for (text, level), held in zip(answers, evaluation_set.truth, strict=True)
    ]
    return np.array(right, dtype=np.bool_)


def _lineages(categories: CategoryTable, taxa: TaxonomyTable | None) -> list[frozenset[str]]:
    """Return the taxa that hold each category, itself among them; none where it is not known."""
    return [
        frozenset(taxon.name for taxon in record.lineage) if record.is_resolved else frozenset()
        for record in resolve_names(categories.names, table=taxa)
    ]


def unknown_taxa_notice(
    evaluation_set: EvaluationSet,
    predictions: PredictionTable,
    *,
    taxa: TaxonomyTable | None = None,
) -> str:
    """Return how many answers are taxa that hold no category here, "" where there are none."""
    answers = predictions.answers
    if answers is None:
        return ""
    rows = evaluation_set.rows.tolist()
    by_rank = [answers.texts[row] for row in rows if rank_of_level(answers.levels[row])]
    if not by_rank:
        return ""
    known = frozenset().union(*_lineages(evaluation_set.dataset.categories, taxa))
    unknown = [text for text in by_rank if text not in known]
    if not unknown:
        return ""
    return (
        f"{len(unknown):,} answers are taxa that hold none of the categories as far as is known, "
        f"such as {quoted(unknown[0] or '')}, and count as wrong: give the table of taxa that they "
        "were made with."
    )


def _score(word: str, is_right: Bools, dives: np.typing.NDArray[np.str_]) -> AnswerScore:
    n_images, n_right = len(is_right), int(is_right.sum())
    if not n_images:
        nan = float("nan")
        return AnswerScore(word=word, n_images=0, n_right=0, share_right=nan, low=nan, high=nan)
    interval = share_interval(is_right, dives.tolist())
    return AnswerScore(
        word=word,
        n_images=n_images,
        n_right=n_right,
        share_right=n_right / n_images,
        low=interval.low,
        high=interval.high,
    )


def answers_in_words(scores: Sequence[AnswerScore]) -> str:
    """Return the scores as one sentence without its full stop."""
    n_images = sum(score.n_images for score in scores)
    parts = [
        f"{score.word} {score.n_images / n_images:.0%}, of these {score.share_right:.0%} right "
        f"({interval_in_words(score.low, score.high, '.0%')})"
        for score in scores
        if score.n_images
    ]
    return f"answers: {'; '.join(parts)}" if parts else "answers: none"
