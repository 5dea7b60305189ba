"""Divide groups of images so that every category keeps its share in every part.

Grouped and stratified at once, for images with several categories. First the greedy order of
Sechidis et al. over whole groups (rarest category first, its largest group first, to the part that
lacks it most), then single moves as long as they help.

Source:
    Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD
    2011, for the order; groups and the improvement are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s

# How much an even number of images weighs against an even share of the mean category.
_SIZE_WEIGHT = 4.0
_MAX_SWEEPS = 30
_SMALLEST_GAIN = 1e-12


@dataclass
class _State:
    """Which part each group is in, and what the parts hold so far.

    Attributes:
        counts: Images of each group that hold each category, the last column all images,
            shape (groups, categories + 1), divided by the column's total.
        weights: Weight of each column in the imbalance.
        targets: Wanted share of each part, sum 1.
        parts: Part of each group, -1 while it has none.
        held: Share of each column in each part, shape (parts, categories + 1).
    """

    counts: Float64s
    weights: Float64s
    targets: Float64s
    parts: npt.NDArray[np.int64]
    held: Float64s

    def position(self, group: int, part: int) -> None:
        """Move a group into a part."""
        if self.parts[group] >= 0:
            self.held[self.parts[group]] -= self.counts[group]
        self.held[part] += self.counts[group]
        self.parts[group] = part

    def imbalance_with(self, group: int) -> Float64s:
        """Return the imbalance for each part that `group` could be in, shape (parts,)."""
        without = self.held.copy()
        without[self.parts[group]] -= self.counts[group]
        losses = self._column_losses(without).sum(axis=1)
        moved = self._column_losses(without + self.counts[group]).sum(axis=1)
        changed: Float64s = losses.sum() - losses + moved
        return changed

    def _column_losses(self, held: Float64s) -> Float64s:
        deviation = held - self.targets[:, np.newaxis]
        losses: Float64s = self.weights * deviation**2 / self.targets[:, np.newaxis]
        return losses


def assign_groups(
    label_counts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    targets: npt.NDArray[np.float64],
    *,
    seed: int,
) -> npt.NDArray[np.int64]:
    """Return the part of each group.

    Args:
        label_counts: Images of each group that hold each category, shape (groups, categories).
        sizes: Images of each group, shape (groups,).
        targets: Wanted share of images in each part, sum 1, each above 0.
        seed: Decides between parts that are equally good, and the order of equal groups.
    """
    state = _start(label_counts, sizes, targets)
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(sizes))
    _place_greedily(state, label_counts, sizes, order)
    _improve(state, order)
    return state.parts


def _start(
    label_counts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], targets: Float64s
) -> _State:
    totals = label_counts.sum(axis=0)
    # A category of one group is in one part whatever is done: it must not drive the search.
    divisible = (label_counts > 0).sum(axis=0) >= 2
    kept = label_counts[:, divisible] / totals[divisible]
    n_kept = kept.shape[1]
    counts = np.column_stack([kept, sizes / sizes.sum()])
    weights = np.append(np.full(n_kept, 1 / max(n_kept, 1)), _SIZE_WEIGHT)
    return _State(
        counts=counts,
        weights=weights,
        targets=targets,
        parts=np.full(len(sizes), -1, dtype=np.int64),
        held=np.zeros((len(targets), n_kept + 1)),
    )


def _place_greedily(
    state: _State,
    label_counts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
) -> None:
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    n_groups_with = (label_counts > 0).sum(axis=0)
    for column in np.argsort(n_groups_with, kind="stable"):
        holders = np.flatnonzero((label_counts[:, column] > 0) & (state.parts < 0))
        by_size = np.lexsort((rank[holders], -label_counts[holders, column]))
        for group in holders[by_size]:
            _place_where_lacking(state, int(group))
    for group in sorted(np.flatnonzero(state.parts < 0), key=lambda g: (-sizes[g], rank[g])):
        _place_where_lacking(state, int(group))


def _place_where_lacking(state: _State, group: int) -> None:
    """Place a group where the categories that it holds are lacking most, sizes included."""
    wanted = state.targets[:, np.newaxis] - state.held
    gain = (wanted / state.targets[:, np.newaxis]) @ (state.counts[group] * state.weights)
    state.position(group, int(np.argmax(gain)))


def _improve(state: _State, order: npt.NDArray[np.int64]) -> None:
    """Move single groups while that lowers the imbalance; it never rises, so this ends."""
    for _ in range(_MAX_SWEEPS):
        moved = False
        for group in order:
            losses = state.imbalance_with(int(group))
            best, present = int(np.argmin(losses)), int(state.parts[group])
            if losses[best] < losses[present] - _SMALLEST_GAIN:
                state.position(int(group), best)
                moved = True
        if not moved:
            return
