"""Labels in order of doubt, and how many of them are likely errors.

Each category is a question of its own: is it in the frame or not?

Source:
    C. Northcutt, L. Jiang and I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset
    Labels", JAIR 2021 (the thresholds).
    A. Thyagarajan, E. Snorrason, C. Northcutt and J. Mueller, "Identifying Incorrect Annotations
    in Multi-Label Classification Data", 2022 (one label at a time, by self-confidence).
"""

from __future__ import annotations

import numpy as np

from finding_nemo.core.arrays import Bools, Float64s, Ints

# Evidence that is right more often comes first twice as often as the other.
_SECOND_COSTS = 2


def likely_errors(probabilities: Float64s, labels: Bools) -> Bools:
    """Return which labels are likely wrong (given) or missing (not given).

    A given label counts as wrong if its absence is as probable as the mean absence of frames
    without it, and its presence is less probable than the mean of frames with it. Missing ones
    the other way round. A category that no frame has, or every frame, has no likely error.

    Args:
        probabilities: That each category is there, from evidence without the label itself, in
            [0, 1], shape (frames, categories).
        labels: As annotated, same shape.
    """
    n_given = labels.sum(axis=0)
    is_known = (n_given > 0) & (n_given < len(labels))
    mean_present = _means(probabilities, labels)
    mean_absent = _means(1.0 - probabilities, ~labels)
    is_present = probabilities >= mean_present
    is_absent = (1.0 - probabilities) >= mean_absent
    wrong = labels & is_absent & ~is_present
    missing = ~labels & is_present & ~is_absent
    found: Bools = (wrong | missing) & is_known
    return found


def _means(values: Float64s, chosen: Bools) -> Float64s:
    """Return the mean of each column over chosen rows; 0 where there are none."""
    found: Float64s = np.where(chosen, values, 0.0).sum(axis=0) / np.maximum(chosen.sum(axis=0), 1)
    return found


def order_of_doubt(
    first: Float64s, second: Float64s | None, labels: Bools, *, given: bool
) -> tuple[Ints, Ints]:
    """Return the labels, most doubtful first, as rows and columns.

    Each kind of evidence makes an order of its own, and a label stands where the better of the two
    puts it: of three labels in a row two come from the first and one from the second.

    Args:
        first: Probability of each category, shape (frames, categories).
        second: The same by other evidence, if there is any.
        labels: As annotated, same shape.
        given: Whether labels that are given are wanted (likely wrong first), or those that are
            not (likely missing first).
    """
    rows, columns = np.nonzero(labels if given else ~labels)
    sign = 1.0 if given else -1.0
    ranks = _ranks(sign * first[rows, columns])
    if second is not None:
        ranks = np.minimum(ranks, _SECOND_COSTS * _ranks(sign * second[rows, columns]))
    order = np.argsort(ranks, kind="stable")
    return rows[order], columns[order]


def _ranks(values: Float64s) -> Ints:
    """Return the rank of each value from 0, ties in order of place."""
    found = np.empty(len(values), dtype=np.int64)
    found[np.argsort(values, kind="stable")] = np.arange(len(values))
    return found
