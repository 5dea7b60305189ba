"""Which frames a person should look at first: unusual and unsure ones, spread over each dive."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Bools, Float64s, Ints
from finding_nemo.core.errors import PredictionsError

MOST_PER_DIVE = 20
# A list that names every second frame of a short dive is no help.
SHARE_OF_DIVE = 0.1
MIN_GAP_S = 10.0
# What is left of a frame's interest each time that its answer was chosen already.
_REPEATED_ANSWER = 0.9


def guess_doubt(top: AnyFloats, second: AnyFloats) -> Float64s:
    """Return how unsure the best guess is, in [0, 1], NaN where `top` is, same shape.

    It is (1 - top)(1 + second): 0 where the best guess is certain, 1 where nothing is likely, and
    more where a second name is about as likely. A frame that surely holds two animals is no doubt.

    Args:
        top: Probability of the best guess, in [0, 1].
        second: Of the next one, in [0, `top`]; NaN where there is none.
    """
    best = np.clip(top.astype(np.float64), 0.0, 1.0)
    following = np.clip(np.nan_to_num(second.astype(np.float64), nan=0.0), 0.0, 1.0)
    doubt: Float64s = np.clip((1.0 - best) * (1.0 + following), 0.0, 1.0)
    return doubt


def rank_look_first(
    novelty_percentile: AnyFloats,
    doubt: AnyFloats,
    dives: Sequence[str | None],
    *,
    times_s: AnyFloats | None = None,
    answers: Sequence[str] | None = None,
    most: int = MOST_PER_DIVE,
    min_gap_s: float = MIN_GAP_S,
) -> Ints:
    """Choose the frames of each dive that a person should look at first, and rank them.

    The interest of a frame is the mean of its novelty percentile and its doubt. The most
    interesting frame is taken, then what lies near it in time or order is left out, and so on. A
    tenth of a dive is taken, `most` at most, and what is left out around each is as wide as lets
    that many find room. Frames of an answer that was taken already lose a tenth of their interest
    each time. The same input gives the same ranks.

    Args:
        novelty_percentile: In [0, 1], shape (images,); NaN where unknown.
        doubt: In [0, 1], as `guess_doubt` says; NaN where unknown. A frame that has neither, as
            one that failed, is never chosen.
        dives: Of each frame; those of no known dive ("" or `None`) are one group.
        times_s: Seconds on one clock of each dive, NaN where unknown. A dive whose times are all
            known is taken in their order; others in the order of the rows.
        answers: What is said of each frame.
        most: Frames of a dive at most.
        min_gap_s: Least seconds between two of them.

    Returns:
        The rank 1, 2, ... within the dive; 0 for all others; shape (images,).

    Raises:
        PredictionsError: If the lengths differ.
    """
    n = len(dives)
    times = np.full(n, np.nan) if times_s is None else times_s.astype(np.float64)
    answer_codes = np.zeros(n, dtype=np.int64) if answers is None else _codes(answers)
    _check_lengths(n, novelty_percentile, doubt, times, answer_codes)
    interest = _interest(novelty_percentile, doubt)
    ranks = np.zeros(n, dtype=np.int64)
    for rows in _rows_of_dives(dives):
        ordered = _in_time(rows, times)
        chosen = _spread_out(
            interest[ordered], times[ordered], answer_codes[ordered], most=most, min_gap_s=min_gap_s
        )
        ranks[ordered[chosen]] = np.arange(1, len(chosen) + 1)
    return ranks


def _check_lengths(n: int, *columns: AnyFloats | Ints) -> None:
    lengths = {column.shape for column in columns} - {(n,)}
    if lengths:
        raise PredictionsError(
            f"Every column must have one value for each of the {n} frames, got {lengths.pop()}."
        )


def _interest(novelty_percentile: AnyFloats, doubt: AnyFloats) -> Float64s:
    """Return the mean of what is known of the two, NaN where neither is."""
    both = np.stack([novelty_percentile, doubt]).astype(np.float64)
    known = np.isfinite(both)
    total = np.where(known, np.clip(both, 0.0, 1.0), 0.0).sum(axis=0)
    counts = known.sum(axis=0)
    interest: Float64s = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    return interest


def _codes(names: Sequence[str | None]) -> Ints:
    """Return a whole number for each name, in order of first appearance."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name or "", len(numbers)) for name in names], np.int64)


def _rows_of_dives(dives: Sequence[str | None]) -> list[Ints]:
    if not dives:
        return []
    codes = _codes(dives)
    order = np.argsort(codes, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(codes[order])) + 1))


def _in_time(rows: Ints, times: Float64s) -> Ints:
    found = times[rows]
    return rows if np.isnan(found).any() else rows[np.argsort(found, kind="stable")]


def _spread_out(
    interest: Float64s, times: Float64s, answer_codes: Ints, *, most: int, min_gap_s: float
) -> list[int]:
    """Return positions in the dive, the most interesting first."""
    n = len(interest)
    wanted = min(most, ceil(n * SHARE_OF_DIVE))
    # Within half of its share on either side; so that many always find room.
    reach = max(1, n // (2 * wanted)) if wanted > 0 else 1
    left = np.where(np.isnan(interest), -np.inf, interest)
    chosen: list[int] = []
    while len(chosen) < wanted:
        best = int(np.argmax(left))
        if left[best] == -np.inf:
            break
        chosen.append(best)
        left[answer_codes == answer_codes[best]] *= _REPEATED_ANSWER
        left[max(0, best - reach + 1) : best + reach] = -np.inf
        left[_near_in_time(times, best, min_gap_s)] = -np.inf
    return chosen


def _near_in_time(times: Float64s, best: int, min_gap_s: float) -> Bools:
    # Times as far apart as numbers go are not near.
    with np.errstate(invalid="ignore", over="ignore"):
        near: Bools = np.abs(times - times[best]) < min_gap_s
    return near
