"""The one answer to a frame in the tree of names: species, else genus, else family, and up.

What it gives more than categories and supercategories: docs/experiments/0049-answers-by-rank.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s
from finding_nemo.core.assessment import Answer, Confidence
from finding_nemo.core.errors import SettingsError
from finding_nemo.marine.taxonomy_table import TaxonomyTable
from finding_nemo.marine.tree_paths import tree_paths
from finding_nemo.uncertainty.answers import (
    LIKELY,
    SURE,
    WANTED,
    WHY_LIKELY,
    WHY_SURE,
    WHY_UNFAMILIAR,
    guesses,
)
from finding_nemo.uncertainty.answers import WHY_GUESS as NOTHING_LIKELY
from finding_nemo.uncertainty.calibration import ValidationView
from finding_nemo.uncertainty.label_tree import (
    RANK_ORDER,
    LabelTree,
    Step,
    answer_in_tree,
    fit_rank_bars,
    label_tree,
    node_probabilities,
)

# Whether answers climb through ranks: no, those of the package's tree, or those of a table.
Ranks = bool | TaxonomyTable

# As for categories and supercategories (uncertainty/answers.py): probabilities promise more on new
# dives than they keep, and sums of them still more.
_LOWEST_OF_CATEGORIES = {SURE: 0.94, LIKELY: 0.6}
_LOWEST_OF_TAXA = {SURE: 0.97, LIKELY: 0.7}
_LEAST_KNOWN = 0.5


@dataclass(frozen=True, slots=True)
class RankAnswers:
    """What gives answers by rank.

    Attributes:
        tree: Of the categories.
        bars: Of each word but `guess`, from rank to one bar a node.
    """

    tree: LabelTree
    bars: Mapping[Confidence, Mapping[str, Float64s]]

    def give(
        self,
        probabilities: AnyFloats,
        names: Sequence[str],
        *,
        familiar: Bools | None = None,
        ranking: AnyFloats | None = None,
    ) -> list[Answer]:
        """Return one answer an image: the finest sure one, else the finest likely, else a guess.

        Args:
            probabilities: Calibrated, shape (images, categories).
            names: Of each category.
            familiar: Whether each image is near enough to the training images to be sure of, shape
                (images,); `None`: all are.
            ranking: What a mere guess is the first of; `None`: probability.
        """
        answers = guesses(probabilities, names, why=NOTHING_LIKELY, ranking=ranking)
        scores = node_probabilities(probabilities, self.tree)
        is_familiar = np.ones(len(scores), dtype=np.bool_) if familiar is None else familiar
        is_category = _is_one_category(self.tree)
        sure, likely = (answer_in_tree(probabilities, self.tree, self.bars[w]) for w in WANTED)
        for row in range(len(answers)):
            held_back = bool(sure.is_sure[row] and not is_familiar[row])
            if sure.is_sure[row] and is_familiar[row]:
                node, word = int(sure.nodes[row]), SURE
            elif held_back or likely.is_sure[row]:
                chosen = likely if likely.is_sure[row] else sure
                node, word = int(chosen.nodes[row]), LIKELY
            else:
                continue
            answers[row] = _answer(
                self.tree.nodes[node][-1],
                word,
                float(scores[row, node]),
                is_category=bool(is_category[node]),
                is_held_back=held_back,
            )
        return answers


def _answer(
    step: Step, word: Confidence, probability: float, *, is_category: bool, is_held_back: bool
) -> Answer:
    rank, text = step
    level = "category" if is_category else rank
    if is_held_back:
        why = WHY_UNFAMILIAR
    elif is_category:
        why = WHY_SURE if word == SURE else WHY_LIKELY
    else:
        why = f"Only the {rank} is {word}, not which of its kinds."
    return Answer(text=text, level=level, confidence=word, probability=probability, why=why)


def _is_one_category(tree: LabelTree) -> Bools:
    """Return which nodes are a category that stands above no other one, shape (nodes,)."""
    found = tree.holds.sum(axis=1) == 1
    found &= np.isin(np.arange(len(tree.nodes)), tree.of_category)
    return np.asarray(found, dtype=np.bool_)


def fit_rank_answers(
    view: ValidationView,
    probabilities: AnyFloats,
    names: Sequence[str],
    supercategories: Sequence[str],
    *,
    table: TaxonomyTable | None = None,
) -> RankAnswers:
    """Choose the bars of every rank on validation images, from the finest and surest down.

    Args:
        view: Truth and dives of the validation images.
        probabilities: Calibrated, shape (images, categories).
        names: Of each category.
        supercategories: Of each category.
        table: Of taxa; the package's if left out.

    Raises:
        SettingsError: If the table of taxa knows fewer than half of the names.
    """
    paths, n_known = tree_paths(names, supercategories, ranks=RANK_ORDER, table=table)
    if n_known < _LEAST_KNOWN * len(names):
        hint = "Give their tree with --taxa" if table is None else "Give them lines in --taxa"
        raise SettingsError(
            f"Answers by rank need names in the tree of life, and {n_known} of {len(names)} "
            f"categories of this bundle are known ({', '.join(names[:3])}, ...). "
            f"{hint}, or leave out --ranks."
        )
    tree = label_tree(paths)
    is_category = _is_one_category(tree)
    left = np.ones(len(view.truth), dtype=np.bool_)
    bars: dict[Confidence, Mapping[str, Float64s]] = {}
    for word, wanted in WANTED.items():
        bars[word] = fit_rank_bars(
            probabilities[left],
            view.truth[left],
            np.asarray(view.dives, dtype=np.str_)[left].tolist(),
            tree,
            wanted=wanted,
            lowest=np.where(is_category, _LOWEST_OF_CATEGORIES[word], _LOWEST_OF_TAXA[word]),
        )
        left = left & ~answer_in_tree(probabilities, tree, bars[word]).is_sure
    return RankAnswers(tree, bars)
