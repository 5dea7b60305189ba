"""When no category can be trusted: the supercategory, or the answer that errs least in the tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats
from finding_nemo.core.errors import PredictionsError

Rule = Literal["noisy-or", "max", "sum"]

# Measured on calibrated probabilities of unseen dives: the sum has the least Brier score; in order
# the three cannot be told apart (docs/experiments/0015-supercategory-rollup.md).
DEFAULT_RULE: Rule = "sum"


def roll_up(
    probabilities: AnyFloats, supercategories: Sequence[str], *, rule: Rule = DEFAULT_RULE
) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Return the supercategories by name and the probability that one of their categories is there.

    Args:
        probabilities: Of categories, in [0, 1], shape (images, categories).
        supercategories: Of each category.
        rule: "noisy-or", 1 - product of (1 - p); "max"; or "sum", at most 1.

    Returns:
        The distinct names in order, and shape (images, supercategories) in [0, 1].

    Raises:
        PredictionsError: If the lengths differ.

    Source:
        Pearl, "Probabilistic Reasoning in Intelligent Systems", 1988 (noisy-or).
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != len(supercategories):
        raise PredictionsError(
            f"One supercategory a column is needed, got {len(supercategories)} for shape "
            f"{probabilities.shape}."
        )
    groups = np.asarray(supercategories, dtype=np.str_)
    names = tuple(np.unique(groups).tolist())
    columns = [_joined(probabilities[:, groups == name], rule) for name in names]
    return names, np.stack(columns, axis=1)


def _joined(probabilities: AnyFloats, rule: Rule) -> npt.NDArray[np.float64]:
    values = probabilities.astype(np.float64)
    if rule == "max":
        return np.asarray(values.max(axis=1), dtype=np.float64)
    if rule == "sum":
        total: npt.NDArray[np.float64] = np.minimum(values.sum(axis=1), 1.0)
        return total
    absent: npt.NDArray[np.float64] = (1.0 - values).prod(axis=1)
    return 1.0 - absent


def tree_distances(paths: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
    """Return the steps between every two nodes of a tree, shape (nodes, nodes).

    Args:
        paths: From the root's child down to each node; the root itself is the empty path.
    """
    steps = np.zeros((len(paths), len(paths)))
    for i, first in enumerate(paths):
        for j, second in enumerate(paths):
            shared = 0
            for a, b in zip(first, second, strict=False):
                if a != b:
                    break
                shared += 1
            steps[i, j] = len(first) + len(second) - 2 * shared
    return steps


def least_expected_distance(
    probabilities: AnyFloats, distances: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return for each image the node with the least expected distance to what is there.

    One animal is asked for, so the probabilities of an image are scaled to sum to 1.

    Args:
        probabilities: Of categories, shape (images, categories).
        distances: From each node that may be answered to each category, (nodes, categories).

    Returns:
        Node numbers and their expected distances, each of shape (images,).

    Raises:
        PredictionsError: If the shapes do not fit, or an image has no probability above 0.
    """
    if probabilities.ndim != 2 or distances.shape[1:] != probabilities.shape[1:]:
        raise PredictionsError(
            f"Distances must be (nodes, categories), got {distances.shape} for probabilities "
            f"{probabilities.shape}."
        )
    total = probabilities.astype(np.float64).sum(axis=1, keepdims=True)
    if not (total > 0).all():
        raise PredictionsError("An image has no category with a probability above 0.")
    expected = (probabilities / total) @ distances.T
    best = np.argmin(expected, axis=1)
    return best, np.take_along_axis(expected, best[:, np.newaxis], axis=1)[:, 0]
