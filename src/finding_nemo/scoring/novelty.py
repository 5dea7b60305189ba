"""How unlike the training images an image is: higher is further out, always continuous."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError


def max_probability_novelty(
    probabilities: npt.NDArray[np.floating],
) -> npt.NDArray[np.float64]:
    """Return one minus the largest probability of each image, in [0, 1], shape (images,).

    Args:
        probabilities: Shape (images, categories), in [0, 1], no NaN.

    Raises:
        PredictionsError: If the shape is another or a value is NaN.

    Source:
        Hendrycks and Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution
        Examples in Neural Networks", ICLR 2017, arXiv:1610.02136 (with sigmoids).
    """
    if probabilities.ndim != 2 or probabilities.shape[1] == 0:
        raise PredictionsError(
            f"probabilities must be (images, categories), got shape {probabilities.shape}."
        )
    bad_rows = np.flatnonzero(np.isnan(probabilities).any(axis=1))
    if bad_rows.size:
        raise PredictionsError(f"probabilities must not be NaN; first bad row: {bad_rows[0]}.")
    novelty: npt.NDArray[np.float64] = 1.0 - probabilities.max(axis=1).astype(np.float64)
    return novelty
