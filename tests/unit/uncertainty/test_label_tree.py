"""Answers in a tree of ranks: by hand and by slow versions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.uncertainty.label_tree import (
    LabelTree,
    Step,
    answer_in_tree,
    fit_rank_bars,
    label_tree,
    least_expected_nearest,
    node_probabilities,
    nodes_present,
)
from finding_nemo.uncertainty.rollup import tree_distances

_CRAB: Step = ("order", "Crab")
_KING: Step = ("genus", "King")
_PATHS: list[list[Step]] = [
    [_CRAB, _KING, ("species", "King red")],
    [_CRAB, _KING, ("species", "King blue")],
    [_CRAB],  # a category above others
    [("order", "Eel"), ("genus", "Eel"), ("species", "Eel grey")],
]
_TREE = label_tree(_PATHS)


def _node(tree: LabelTree, name: str, rank: str) -> int:
    return [node[-1] for node in tree.nodes].index((rank, name))


def test_label_tree__by_hand() -> None:
    assert len(_TREE.nodes) == 7
    assert _TREE.levels == ("species", "genus", "order")
    assert _TREE.holds[_node(_TREE, "Crab", "order")].tolist() == [True, True, True, False]
    assert _TREE.holds[_node(_TREE, "King", "genus")].tolist() == [True, True, False, False]
    assert [_TREE.nodes[at] for at in _TREE.of_category] == [tuple(path) for path in _PATHS]
    with pytest.raises(PredictionsError, match="empty: 1"):
        label_tree([[], [_CRAB]])
    with pytest.raises(PredictionsError, match="natio"):
        label_tree([[("natio", "x")]])


def test_category_above__equals_a_look_at_every_pair() -> None:
    slow = [[a != b and b[: len(a)] == a for b in _PATHS] for a in _PATHS]
    assert _TREE.category_above.tolist() == slow
    assert np.argwhere(_TREE.category_above).tolist() == [[2, 0], [2, 1]]


def test_steps__equal_a_walk_through_the_tree() -> None:
    walked = tree_distances([*(list(map(str, node)) for node in _TREE.nodes)])
    np.testing.assert_array_equal(_TREE.steps(), walked[:, _TREE.of_category])
    assert _TREE.steps()[_TREE.of_category[0]].tolist() == [0, 2, 2, 6]


def test_node_probabilities__by_hand_and_never_less_above() -> None:
    found = node_probabilities(np.array([[0.5, 0.3, 0.4, 0.1]]), _TREE)[0]
    assert found[_node(_TREE, "King", "genus")] == pytest.approx(0.8)
    assert found[_node(_TREE, "Crab", "order")] == 1.0  # 1.2, at most 1
    assert found[_node(_TREE, "Eel", "order")] == pytest.approx(0.1)
    for above, below in np.argwhere(_TREE.above):
        assert found[above] >= found[below]
    with pytest.raises(PredictionsError, match="4 categories"):
        node_probabilities(np.ones((1, 3)), _TREE)


def test_nodes_present__equals_a_look_at_every_path() -> None:
    truth = np.array(list(product((False, True), repeat=4)))
    found = nodes_present(truth, _TREE)
    for row, held in enumerate(truth):
        for at, node in enumerate(_TREE.nodes):
            slow = any(tuple(_PATHS[j][: len(node)]) == node for j in np.flatnonzero(held))
            assert found[row, at] == slow


def test_answer__is_the_finest_that_reaches_its_bar() -> None:
    bars = {rank: np.full(7, 0.7) for rank in _TREE.levels}
    said = np.array(
        [
            [0.9, 0.0, 0.0, 0.0],  # the species
            [0.4, 0.4, 0.0, 0.0],  # one of two kings: the genus
            [0.3, 0.2, 0.3, 0.0],  # a crab
            [0.1, 0.0, 0.0, 0.2],  # nothing: the most probable
        ]
    )
    found = answer_in_tree(said, _TREE, bars)
    names = [_TREE.nodes[node][-1][1] for node in found.nodes]
    assert names == ["King red", "King", "Crab", "Eel grey"]
    assert found.is_sure.tolist() == [True, True, True, False]


def test_bars__keep_the_wanted_share_where_probabilities_hold() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.random((4000, 4)) ** 3
    truth = rng.random((4000, 4)) < kinds
    dives = [str(row % 80) for row in range(4000)]
    bars = fit_rank_bars(kinds[::2], truth[::2], dives[::2], _TREE, wanted=0.8, lowest=0.6)
    assert list(bars) == ["species", "genus", "order"]
    assert np.isinf(bars["species"][_node(_TREE, "King", "genus")])
    found = answer_in_tree(kinds[1::2], _TREE, bars)
    right = nodes_present(truth[1::2], _TREE)[np.arange(2000), found.nodes]
    assert found.is_sure.mean() > 0.3
    assert right[found.is_sure].mean() > 0.78


def test_least_expected_nearest__equals_all_worlds_weighed() -> None:
    said = np.random.default_rng(1).random((5, 4)) * 0.9
    steps = _TREE.steps()
    nodes, expected = least_expected_nearest(said, _TREE)
    for row in range(5):
        slow = np.zeros(len(steps))
        for world in product((False, True), repeat=4):
            weight = np.where(world, said[row], 1 - said[row]).prod()
            nearest = steps[:, list(world)].min(axis=1) if any(world) else steps.max()
            slow += weight * nearest
        assert expected[row] == pytest.approx(slow.min(), abs=1e-9)
        assert slow[nodes[row]] == pytest.approx(slow.min(), abs=1e-9)


def test_least_expected_nearest__falls_back_where_two_of_a_genus_are_as_likely() -> None:
    # King red or blue, 0.5 each and apart in steps of 2; the genus is 1 from both: by hand
    # a species 0.25 x 6 + 0.25 x 2 + 0.5 x 0 = 2.0, the genus 0.25 x 6 + 0.75 x 1 = 2.25.
    nodes, expected = least_expected_nearest(np.array([[0.5, 0.5, 0.0, 0.0]]), _TREE)
    assert (nodes[0], expected[0]) == (_TREE.of_category[1], pytest.approx(2.0))
