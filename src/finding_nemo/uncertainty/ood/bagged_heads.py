"""Novelty from disagreement: linear heads that each learnt from other dives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Float64s


def fit_heads(
    white: AnyFloats,
    truth: npt.NDArray[np.bool_],
    dives: Sequence[str],
    *,
    n_heads: int = 8,
    ridge: float = 0.1,
    seed: int = 0,
) -> AnyFloats:
    """Fit ridge regressions, each to dives drawn with replacement.

    Args:
        white: Whitened coordinates of training images, shape (images, axes).
        truth: Their categories, shape (images, categories).
        dives: The dive of each.
        n_heads: How many.
        ridge: Penalty an image, above 0.
        seed: Of the draws.

    Returns:
        Weights, the last row the bias, shape (heads, axes + 1, categories).

    Source:
        Breiman, "Bagging Predictors", 1996; disagreement as novelty: Lakshminarayanan et al.,
        NeurIPS 2017, arXiv:1612.01474.
    """
    names, position = np.unique(np.asarray(dives, dtype=np.str_), return_inverse=True)
    generator = np.random.default_rng(seed)
    inputs = with_ones(white)
    targets = truth.astype(inputs.dtype)
    penalty = ridge * len(inputs) * np.eye(inputs.shape[1], dtype=inputs.dtype)
    heads = []
    for _ in range(n_heads):
        drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)))
        weighted = inputs * drawn[position][:, np.newaxis].astype(inputs.dtype)
        heads.append(np.linalg.solve(weighted.T @ inputs + penalty, weighted.T @ targets))
    return np.stack(heads)


def with_ones(rows: AnyFloats) -> AnyFloats:
    """Return rows with a last column of ones."""
    return np.concatenate([rows, np.ones((len(rows), 1), dtype=rows.dtype)], axis=1)


def disagreement_novelty(white: AnyFloats, heads: AnyFloats) -> Float64s:
    """Return the heads' standard deviation, mean over categories, shape (images,)."""
    probabilities = np.einsum("ia,hac->hic", with_ones(white), heads, optimize=True)
    result: Float64s = probabilities.astype(np.float64).std(axis=0).mean(axis=1)
    return result
