"""Precision, recall and accuracy of probabilities cut at one threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class ThresholdScores:
    """Counts over all cells (image, category) turned into shares, each in [0, 1].

    Attributes:
        threshold: A probability at or above it counts as "present".
        precision: Share of "present" cells that are true; NaN where there is none.
        recall: Share of true cells that are "present"; NaN where nothing is true.
        f1: Their harmonic mean.
        accuracy: Share of cells that are right, the course study's accuracy.
        accuracy_of_nothing: What saying "absent" everywhere scores on the same cells.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    accuracy: float
    accuracy_of_nothing: float


def scores_at_threshold(
    truth: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.floating], *, threshold: float = 0.5
) -> ThresholdScores:
    """Return the shares for one threshold over all cells.

    Args:
        truth: Shape (images, categories).
        probabilities: In [0, 1], same shape.
        threshold: The cut.
    """
    present = probabilities >= threshold
    hits = int((present & truth).sum())
    n_present, n_true = int(present.sum()), int(truth.sum())
    return ThresholdScores(
        threshold=threshold,
        precision=hits / n_present if n_present else float("nan"),
        recall=hits / n_true if n_true else float("nan"),
        f1=2 * hits / (n_present + n_true) if n_present + n_true else float("nan"),
        accuracy=float((present == truth).mean()),
        accuracy_of_nothing=float((~truth).mean()),
    )
