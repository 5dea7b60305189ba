"""Speed of `map_at_k`: the competition's own way (image by image), and torchmetrics.

Run: python benchmarks/map_at_k.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from timing import in_turn, table

from finding_nemo.metrics.ranking import map_at_k

N_IMAGES, N_CATEGORIES, K = 10_744, 290, 20
Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float32]


def apk(actual: list[int], predicted: list[int], k: int) -> float:
    """AP@k as the competition's metric code counts it."""
    predicted = predicted[:k]
    score = hits = 0.0
    for place, guess in enumerate(predicted):
        if guess in actual and guess not in predicted[:place]:
            hits += 1.0
            score += hits / (place + 1.0)
    return score / min(len(actual), k) if actual else 0.0


def loops(truth: Truth, scores: Scores) -> float:
    """Rank all images, ties in column order, and count image by image."""
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :K].tolist()
    actual = [np.flatnonzero(row).tolist() for row in truth]
    return float(np.mean([apk(a, p, K) for a, p in zip(actual, ranked, strict=True)]))


def with_torchmetrics(truth: Truth, scores: Scores) -> Callable[[], float] | None:
    try:
        import torch
        from torchmetrics.retrieval import RetrievalMAP
    except ImportError:
        return None
    rows = torch.arange(len(truth)).repeat_interleave(truth.shape[1])
    flat = torch.from_numpy(scores.reshape(-1)), torch.from_numpy(truth.reshape(-1))
    return lambda: float(RetrievalMAP(top_k=K)(*flat, indexes=rows))


def seconds(job: Callable[[], float]) -> float:
    """Time the second of two calls: the first of each turn finds the other ways' data in cache."""
    job()
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def compare() -> str:
    """Return the table; ranking is part of every time."""
    rng = np.random.default_rng(0)
    truth = rng.random((N_IMAGES, N_CATEGORIES)) < 0.01
    scores = rng.random((N_IMAGES, N_CATEGORIES), dtype=np.float32).round(3)
    jobs: dict[str, Callable[[], float]] = {
        "`map_at_k`": lambda: map_at_k(truth, scores, k=K),
        "the competition's loops": lambda: loops(truth, scores),
    }
    rival = with_torchmetrics(truth, scores)
    if rival is not None:
        jobs["torchmetrics `RetrievalMAP`"] = rival
    values = {name: job() for name, job in jobs.items()}
    times = in_turn({name: partial(seconds, job) for name, job in jobs.items()})
    ours = times["`map_at_k`"]
    return table(
        ["way", "ms", "times ours", "value"],
        [[n, f"{1e3 * t:.1f}", f"{t / ours:.1f}", f"{values[n]:.4f}"] for n, t in times.items()],
    )


if __name__ == "__main__":
    print(compare())
