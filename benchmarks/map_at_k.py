"""Speed of `map_at_k`, against the way the competition's own code works: one image at a time.

Run: python benchmarks/map_at_k.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from finding_nemo.scoring.ranking import map_at_k

N_IMAGES, N_CATEGORIES, K, ROUNDS = 10_744, 290, 20, 5


def loops(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float32]) -> float:
    """Rank and count image by image; ties in column order."""
    total = 0.0
    for true_row, score_row in zip(truth, scores, strict=True):
        wanted = set(np.flatnonzero(true_row).tolist())
        guesses = np.argsort(-score_row, kind="stable")[:K].tolist()
        hits = 0
        precision_sum = 0.0
        for place, guess in enumerate(guesses, start=1):
            if guess in wanted and guess not in guesses[: place - 1]:
                hits += 1
                precision_sum += hits / place
        total += precision_sum / min(len(wanted), K) if wanted else 0.0
    return total / len(truth)


def seconds(job: Callable[[], float]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def main() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((N_IMAGES, N_CATEGORIES)) < 0.01
    scores = rng.random((N_IMAGES, N_CATEGORIES), dtype=np.float32).round(3)
    difference = abs(loops(truth, scores) - map_at_k(truth, scores, k=K))
    slow, fast = [], []
    for _ in range(ROUNDS):  # in turn, so that a busy machine slows both
        slow.append(seconds(lambda: loops(truth, scores)))
        fast.append(seconds(lambda: map_at_k(truth, scores, k=K)))
    ours, theirs = statistics.median(fast), statistics.median(slow)
    print(f"{N_IMAGES} x {N_CATEGORIES}, k = {K}, medians of {ROUNDS}; difference {difference:.1e}")
    print(f"image by image {theirs * 1e3:7.1f} ms")
    print(f"map_at_k       {ours * 1e3:7.1f} ms, {theirs / ours:.1f} times as fast")


if __name__ == "__main__":
    main()
