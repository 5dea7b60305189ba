"""By what features are divided so that each counts alike."""

from __future__ import annotations

import numpy as np

from finding_nemo.core.arrays import AnyFloats, Float64s

# Features of drawn frames at 768 x 544 had standard deviations from 0.00002 of their median up:
# logits were in the thousands, and no probability could be fitted to them. On TrashCan the least is
# 0.057 of the mean, so nothing changes there.
_LEAST_SHARE = 0.05
_LEAST_STD = 1e-6


def scale_of(std: AnyFloats) -> Float64s:
    """Return what features are divided by: their standard deviation, or a little where it is less.

    A feature that hardly any training frame has, behind a ReLU that stays shut, would be divided by
    almost nothing; the first frame that has it would then be judged by nothing else.

    Args:
        std: Standard deviation of each feature over training frames, 0 or more, shape (features,).

    Returns:
        The same, but at least a twentieth of their mean, and above 0.
    """
    std = std.astype(np.float64)
    return np.maximum(std, max(_LEAST_SHARE * float(std.mean()), _LEAST_STD))
