"""What categories are ranked by: the network's opinion, and a little of class frequency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s
from finding_nemo.uncertainty.calibration import (
    Frequency,
    FrequencyLine,
    ValidationView,
    fit_frequency_line,
)
from finding_nemo.uncertainty.logistic import sigmoid

# One pair of numbers for every recipe and data set: docs/experiments/0039-own-ranking.md.
FREQUENCY_WEIGHT: Final = 0.1
PULL_SHARE: Final = 0.6


@dataclass(frozen=True, kw_only=True)
class OpinionPool:
    """A ranking score: sigmoid(offset + slope x logit) + weight x frequency.

    The sum of two opinions, the network's and frequency's, each a probability. Where the network
    is sure, frequency changes little; where it rates all near zero, the more frequent category is
    first. The network's own opinion holds six tenths of the pull towards frequency that calibration
    fitted: all of it costs rank where a network knows rare categories well, none of it where it
    does not.

    Within a category the score rises with the logit, so its average precision over images is that
    of the logit and of the calibrated probability.

    Attributes:
        offset: Shape (categories,). Where the slope is 0, the logit of the category's prior.
        slope: 0 or more, same shape; 0 for a category without a training image.
        frequency: Share of the training images that hold the category, or its prior, in (0, 1),
            same shape.
        weight: What frequency counts beside the network, 0 or more.

    Source:
        Stone, "The Opinion Pool", Annals of Mathematical Statistics 32, 1961; Genest and Zidek,
        "Combining Probability Distributions: A Critique and an Annotated Bibliography",
        Statistical Science 1, 1986.
    """

    offset: Float64s
    slope: Float64s
    frequency: Float64s
    weight: float

    @classmethod
    def of_line(
        cls, line: FrequencyLine, frequency: Frequency, *, weight: float = FREQUENCY_WEIGHT
    ) -> OpinionPool:
        """Return the pool of a fitted line, of whose share of frequency a part is kept."""
        pulled = line.offset + PULL_SHARE * line.share * frequency.logits
        return cls(
            offset=np.where(frequency.seen, pulled, frequency.logits),
            slope=np.where(frequency.seen, line.slope, 0.0),
            frequency=sigmoid(frequency.logits),
            weight=weight,
        )

    @classmethod
    def of(cls, stored: Mapping[str, npt.NDArray[np.generic]]) -> OpinionPool:
        """Return what `tensors` took apart."""
        offset, slope, frequency, weight = (
            np.asarray(stored[name], dtype=np.float64) for name in POOL_TENSORS
        )
        return cls(offset=offset, slope=slope, frequency=frequency, weight=float(weight[0]))

    def tensors(self) -> dict[str, Float64s]:
        """Return it as named arrays."""
        values = (self.offset, self.slope, self.frequency, np.array([self.weight]))
        return dict(zip(POOL_TENSORS, values, strict=True))

    def __call__(self, logits: npt.NDArray[np.floating]) -> Float64s:
        """Return ranking scores, higher first, of logits (images, categories), same shape."""
        opinion = sigmoid(self.offset + self.slope * logits.astype(np.float64))
        scores: Float64s = opinion + self.weight * self.frequency
        return scores


# Each name's shape in letters, as bundles are checked: categories, or one number.
POOL_TENSORS: Final[Mapping[str, str]] = {
    "offset": "c",
    "slope": "c",
    "frequency": "c",
    "weight": "1",
}


def fit_opinion_pool(view: ValidationView, frequency: Frequency) -> OpinionPool:
    """Fit slope, offset and share of frequency to validation images, and pool them.

    Args:
        view: Images of dives that the network did not learn from.
        frequency: From `training_frequency`.
    """
    return OpinionPool.of_line(fit_frequency_line(view, frequency), frequency)
