"""MAP@20 and the ranking behind it: the competition's measure, in NumPy.

For an image with true set T and ranked guesses, AP@k is the sum over ranks r <= k of
precision(r) x relevant(r), divided by min(|T|, k). A repeated guess counts once, at its first
place, and does not use up a rank of its own again: the official code skips nothing, so the
places after a repeat keep their numbers. Equal scores keep column order.

Source:
    Orenstein et al., "The FathomNet2023 Competition Dataset", arXiv:2307.08781, and the
    competition's published metric code, whose divisor min(|T|, k) is used here. The formula in
    the competition's own README lacks that divisor; see docs/decisions/0002-map-at-20.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Bools
from finding_nemo.core.errors import PredictionsError

EmptyRule = Literal["zero", "skip"]

# Keys of 512 rows of 290 categories are 1.2 MB: they stay in a core's own cache.
_CHUNK_ROWS = 512


def rank_columns(scores: AnyFloats, *, k: int = 20) -> npt.NDArray[np.int64]:
    """Return the `k` best columns of each row, best first, shape (images, min(k, categories)).

    Args:
        scores: Higher is better, shape (images, categories). Logits, probabilities or any
            other score; only their order matters.
        k: How many columns to return, at least 1.

    Raises:
        PredictionsError: If `scores` is not two-dimensional or holds NaN, or `k` is below 1.
    """
    _check_scores(scores, k)
    n_images, n_categories = scores.shape
    width = min(k, n_categories)
    best = np.empty((n_images, width), dtype=np.int64)
    for start in range(0, n_images, _CHUNK_ROWS):
        rows = slice(start, start + _CHUNK_ROWS)
        best[rows] = _rank_chunk(scores[rows], width)
    return best


def _check_scores(scores: AnyFloats, k: int) -> None:
    if scores.ndim != 2:
        raise PredictionsError(f"scores must be (images, categories), got shape {scores.shape}.")
    if k < 1:
        raise PredictionsError(f"k must be at least 1, got {k}.")
    # A minimum passes NaN on, in a quarter of the time that looking at each score takes.
    if scores.size and np.isnan(scores.min()):
        first = int(np.flatnonzero(np.isnan(scores).any(axis=1))[0])
        raise PredictionsError(f"scores must not be NaN; first bad row: {first}.")


def _rank_chunk(scores: AnyFloats, width: int) -> npt.NDArray[np.int64]:
    """Rank the columns of `scores`, ties in column order.

    A full stable sort costs several times a partition, so only the chosen columns are sorted.
    A partition is not stable: rows where a tie straddles its border are sorted whole.
    """
    if scores.dtype == np.float32:
        return _rank_by_keys(scores, width)
    n_categories, losses = scores.shape[1], -scores
    if width >= n_categories:
        return np.argsort(losses, axis=1, kind="stable")
    chosen = np.argpartition(losses, width - 1, axis=1)[:, :width]
    chosen.sort(axis=1)
    chosen_losses = np.take_along_axis(losses, chosen, axis=1)
    order = np.argsort(chosen_losses, axis=1, kind="stable")
    ranked = np.take_along_axis(chosen, order, axis=1)
    border = chosen_losses.max(axis=1, keepdims=True)
    straddling = np.flatnonzero((losses <= border).sum(axis=1) > width)
    if straddling.size:
        whole = np.argsort(losses[straddling], axis=1, kind="stable")
        ranked[straddling] = whole[:, :width]
    return ranked


def _rank_by_keys(scores: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.int64]:
    """Rank by whole numbers that hold the turned score above the column, lowest first.

    No two are equal, so any sort is stable, and processors sort them fast.
    """
    # Adding 0 turns -0.0, which ties with 0.0, into it.
    bits = (scores + np.float32(0)).view(np.uint32)
    # IEEE 754 floats of one sign order as their bits do. Falling from the highest: positive ones
    # have all bits but the sign turned, negative ones (whose size falls upwards) none.
    turned = ~(bits.view(np.int32) >> 31).view(np.uint32) & np.uint32((1 << 31) - 1)
    keys = (bits ^ turned).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(scores.shape[1], dtype=np.uint64)
    if width < scores.shape[1]:
        keys.partition(width - 1, axis=1)
        keys = keys[:, :width]
    keys.sort(axis=1)
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def average_precision_at_k(
    truth: Bools, scores: AnyFloats, *, k: int = 20, passed_over: Bools | None = None
) -> npt.NDArray[np.float64]:
    """Return AP@k of each image, in [0, 1], shape (images,); NaN where nothing is true.

    Args:
        truth: Whether each category is in each image, shape (images, categories).
        scores: Higher is better, same shape.
        k: Depth of the ranking.
        passed_over: Guesses that count neither as right nor as wrong, same shape: others move up
            in their stead. What is true is never passed over.

    Raises:
        PredictionsError: If the shapes differ, or `scores` is unusable.
    """
    if truth.shape != scores.shape:
        raise PredictionsError(
            f"truth and scores must have one shape, got {truth.shape} and {scores.shape}."
        )
    if passed_over is None:
        ranked = rank_columns(scores, k=k)
    else:
        ranked = _rank_others(scores, passed_over & ~truth.astype(np.bool_, copy=False), k)
    hits = np.take_along_axis(truth.astype(np.bool_, copy=False), ranked, axis=1)
    ranks = np.arange(1, ranked.shape[1] + 1)
    precision_sum = (hits * np.cumsum(hits, axis=1) / ranks).sum(axis=1)
    n_true = np.count_nonzero(truth, axis=1)
    divisor = np.minimum(n_true, k)
    with np.errstate(invalid="ignore"):
        score: npt.NDArray[np.float64] = np.where(n_true > 0, precision_sum / divisor, np.nan)
    return score


def _rank_others(scores: AnyFloats, passed_over: Bools, k: int) -> npt.NDArray[np.int64]:
    """Rank the columns that are not passed over; the rest comes after all of them."""
    _check_scores(scores, k)
    ranked = rank_columns(scores, k=max(scores.shape[1], 1))
    is_last = np.take_along_axis(passed_over, ranked, axis=1)
    order = np.argsort(is_last, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(ranked, order, axis=1)


def map_at_k(truth: Bools, scores: AnyFloats, *, k: int = 20, empty: EmptyRule = "zero") -> float:
    """Return the mean AP@k over images, in [0, 1].

    Args:
        truth: Whether each category is in each image, shape (images, categories).
        scores: Higher is better, same shape.
        k: Depth of the ranking.
        empty: What an image with no true category counts: "zero" as the competition does, or
            "skip" to leave it out.

    Returns:
        The mean.

    Raises:
        PredictionsError: If the shapes differ, `scores` is unusable, or no image counts.

    Example:
        >>> map_at_k(np.array([[True, False, True]]), np.array([[0.9, 0.5, 0.3]]))
        0.8333333333333333
    """
    return _mean(average_precision_at_k(truth, scores, k=k), empty)


def _mean(per_image: npt.NDArray[np.float64], empty: EmptyRule) -> float:
    counted = np.nan_to_num(per_image) if empty == "zero" else per_image[~np.isnan(per_image)]
    if counted.size == 0:
        raise PredictionsError("MAP@k needs at least one image with a true category, got none.")
    return float(counted.mean())


def average_precision_of_ranking(
    true_ids: Collection[int], ranked_ids: Sequence[int], *, k: int = 20
) -> float:
    """Return AP@k of one ranked list of category ids; 0 where nothing is true.

    A repeated id counts at its first place only; places after it keep their numbers.
    """
    wanted = set(true_ids)
    if not wanted:
        return 0.0
    seen: set[int] = set()
    hits = 0
    precision_sum = 0.0
    for position, category_id in enumerate(ranked_ids[:k], start=1):
        if category_id in wanted and category_id not in seen:
            hits += 1
            precision_sum += hits / position
        seen.add(category_id)
    return precision_sum / min(len(wanted), k)


def map_at_k_of_rankings(
    true_ids: Sequence[Collection[int]], ranked_ids: Sequence[Sequence[int]], *, k: int = 20
) -> float:
    """Return the competition's MAP@k of ranked lists: an image with nothing true counts 0.

    Raises:
        PredictionsError: If the lists differ in length or are empty.
    """
    if len(true_ids) != len(ranked_ids) or not true_ids:
        raise PredictionsError(
            f"MAP@k needs as many rankings as truths, and at least one; "
            f"got {len(ranked_ids)} rankings and {len(true_ids)} truths."
        )
    pairs = zip(true_ids, ranked_ids, strict=True)
    return float(np.mean([average_precision_of_ranking(t, r, k=k) for t, r in pairs]))
