"""Answers in a tree of many ranks: the finest one that is sure enough, or the one that errs least.

`predict --ranks` answers so; without it, with a category or its supercategory (`answers`). Figures:
docs/experiments/0043-names-and-the-tree.md and 0049-answers-by-rank.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s, Ints
from finding_nemo.core.errors import PredictionsError
from finding_nemo.uncertainty.cautious_bars import CheckedAnswers, fit_bars

# From the finest to the coarsest; ranks between them come from tables of names.
RANK_ORDER = (
    *("category", "subspecies", "species", "subgenus", "genus", "tribe", "subfamily", "family"),
    *("superfamily", "infraorder", "suborder", "order", "superorder", "infraclass", "subclass"),
    *("class", "superclass", "subphylum", "phylum", "supercategory", "kingdom"),
)
Step = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LabelTree:
    """Categories in a tree; a category may stand above others, as an order above its species.

    Attributes:
        nodes: Each as its path from below the root: steps of (rank, name).
        of_category: The node of each category, shape (categories,).
        holds: Whether a category stands at or below a node, shape (nodes, categories).
        above: Whether node i stands at or above node j, shape (nodes, nodes).
    """

    nodes: tuple[tuple[Step, ...], ...]
    of_category: Ints
    holds: Bools
    above: Bools

    @property
    def ranks(self) -> tuple[str, ...]:
        """The rank of each node."""
        return tuple(node[-1][0] for node in self.nodes)

    @property
    def nodes_by_rank(self) -> Mapping[str, Ints]:
        """The numbers of the nodes of each rank, from the finest to the coarsest."""
        ranks = np.array(self.ranks, dtype=np.str_)
        there = set(self.ranks)
        return {rank: np.flatnonzero(ranks == rank) for rank in RANK_ORDER if rank in there}

    @property
    def levels(self) -> tuple[str, ...]:
        """The ranks of the nodes, each once, from the finest to the coarsest."""
        return tuple(self.nodes_by_rank)

    @property
    def category_above(self) -> Bools:
        """Whether category i stands above category j, shape (categories, categories)."""
        pairs = self.above[np.ix_(self.of_category, self.of_category)]
        same = self.of_category[:, np.newaxis] == self.of_category
        return np.asarray(pairs & ~same, dtype=np.bool_)

    def steps(self) -> Float64s:
        """Return the steps from each node to each category, shape (nodes, categories)."""
        depths = self.above.sum(axis=0)
        shared = self.above.T.astype(np.int64) @ self.holds.astype(np.int64)
        return np.asarray(
            depths[:, np.newaxis] + depths[self.of_category] - 2 * shared, dtype=np.float64
        )


def label_tree(paths: Sequence[Sequence[Step]]) -> LabelTree:
    """Return the tree of categories.

    Args:
        paths: Of each category, steps of (rank, name) from below the root to itself.

    Raises:
        PredictionsError: If a path is empty or a rank is unknown.
    """
    whole = [tuple(path) for path in paths]
    unknown = {rank for path in whole for rank, _ in path} - set(RANK_ORDER)
    if unknown or not all(whole):
        raise PredictionsError(
            f"Each category needs a path of known ranks; unknown: {sorted(unknown)[:5]}, empty: "
            f"{sum(not path for path in whole)}."
        )
    nodes = sorted({path[:end] for path in whole for end in range(1, len(path) + 1)})
    number = {node: at for at, node in enumerate(nodes)}
    above = np.zeros((len(nodes), len(nodes)), dtype=np.bool_)
    for at, node in enumerate(nodes):
        above[[number[node[:end]] for end in range(1, len(node) + 1)], at] = True
    of_category = np.asarray([number[path] for path in whole], dtype=np.int64)
    return LabelTree(tuple(nodes), of_category, above[:, of_category], above)


def node_probabilities(probabilities: AnyFloats, tree: LabelTree) -> Float64s:
    """Return the probability of each node: the sum of its categories', at most 1.

    Args:
        probabilities: Calibrated, shape (images, categories).
        tree: Of those categories.

    Returns:
        Shape (images, nodes), in [0, 1]; never less for a node above another one.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != tree.holds.shape[1]:
        raise PredictionsError(
            f"The tree has {tree.holds.shape[1]} categories, got shape {probabilities.shape}."
        )
    total: Float64s = probabilities.astype(np.float64) @ tree.holds.T.astype(np.float64)
    return np.minimum(total, 1.0)


def nodes_present(truth: Bools, tree: LabelTree) -> Bools:
    """Return which nodes hold a true category of each image, shape (images, nodes)."""
    return np.asarray(truth.astype(np.int64) @ tree.holds.T.astype(np.int64) > 0)


@dataclass(frozen=True, slots=True)
class TreeAnswers:
    """One node an image.

    Attributes:
        nodes: Its number, shape (images,).
        is_sure: Whether it reached its bar; else it is the most probable category.
    """

    nodes: Ints
    is_sure: Bools


def fit_rank_bars(
    probabilities: AnyFloats,
    truth: Bools,
    dives: Sequence[str],
    tree: LabelTree,
    *,
    wanted: float,
    lowest: float | Float64s,
) -> Mapping[str, Float64s]:
    """Choose for each rank from which probability on its nodes are right often enough.

    Ranks are fitted from the finest up, each to the images that finer ones leave over.

    Args:
        probabilities: Calibrated, of validation images, shape (images, categories).
        truth: Same shape.
        dives: Of each image.
        tree: Of the categories.
        wanted: Share of the answers of each rank that should be right, in (0, 1).
        lowest: No bar is below it; one for all nodes, or one a node.

    Returns:
        From rank to one bar a node of `tree`; infinite at other ranks and where none is enough.
    """
    scores, present = node_probabilities(probabilities, tree), nodes_present(truth, tree)
    left = np.ones(len(scores), dtype=np.bool_)
    bars = {}
    for rank, numbers in tree.nodes_by_rank.items():
        best, of_best = _best_of(scores, numbers)
        checked = CheckedAnswers(
            scores=of_best,
            is_right=np.take_along_axis(present, best[:, np.newaxis], axis=1)[:, 0],
            names=best,
            dives=dives,
            n_names=len(tree.nodes),
        )
        found = fit_bars(checked.kept(left), wanted=wanted, lowest=float(np.min(lowest)))
        bars[rank] = np.full(len(tree.nodes), np.inf)
        bars[rank][numbers] = np.maximum(found, lowest)[numbers]
        left = left & (of_best < bars[rank][best])
    return bars


def answer_in_tree(
    probabilities: AnyFloats, tree: LabelTree, bars: Mapping[str, Float64s]
) -> TreeAnswers:
    """Return for each image the node of the finest rank that reaches its bar.

    Args:
        probabilities: Calibrated, shape (images, categories).
        tree: Of the categories.
        bars: From `fit_rank_bars`.
    """
    scores = node_probabilities(probabilities, tree)
    nodes = tree.of_category[np.argmax(probabilities, axis=1)]
    is_sure = np.zeros(len(scores), dtype=np.bool_)
    for rank, numbers in tree.nodes_by_rank.items():
        best, of_best = _best_of(scores, numbers)
        reached = ~is_sure & (of_best >= bars[rank][best])
        nodes = np.where(reached, best, nodes)
        is_sure |= reached
    return TreeAnswers(nodes, is_sure)


def _best_of(scores: Float64s, numbers: Ints) -> tuple[Ints, Float64s]:
    """Return the most probable of some nodes for each image, and its probability."""
    best = numbers[np.argmax(scores[:, numbers], axis=1)]
    return best, np.take_along_axis(scores, best[:, np.newaxis], axis=1)[:, 0]


def least_expected_nearest(probabilities: AnyFloats, tree: LabelTree) -> tuple[Ints, Float64s]:
    """Return for each image the node that is expected nearest to an animal that is there.

    A frame may hold several animals and the answer need only be near one of them. The expected
    steps to the nearest are the sum over k of the probability that no animal is within k steps,
    with categories taken as independent; a frame without any counts as far as the tree is wide.

    Args:
        probabilities: Calibrated, shape (images, categories).
        tree: Of the categories.

    Returns:
        Node numbers and their expected steps, each of shape (images,).
    """
    steps = tree.steps()
    absent = np.log1p(-np.minimum(probabilities.astype(np.float64), 1.0 - 1e-12))
    expected = np.zeros((len(probabilities), len(steps)))
    for within in range(int(steps.max())):
        expected += np.exp(absent @ (steps <= within).T.astype(np.float64))
    nodes = np.argmin(expected, axis=1)
    return nodes, np.take_along_axis(expected, nodes[:, np.newaxis], axis=1)[:, 0]
