"""MAP@20 of the same images by three rankings, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np

NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingScores:
    """MAP@20 by three rankings, each in [0, 1]; NaN where one is not known.

    Attributes:
        own: By the network's outputs as they are. Where they are worked back from probabilities,
            a category that training never saw has its prior.
        calibrated: By calibrated probability.
        shown: By the ranking that predictions show.
    """

    own: float = math.nan
    calibrated: float = math.nan
    shown: float = math.nan

    def in_words(self) -> str:
        """Return all three in one line."""
        return "MAP@20 " + ", ".join(
            f"{score} {name}" for score, name in zip(self.cells(), RANKING_NAMES, strict=True)
        )

    def cells(self) -> tuple[str, ...]:
        """Return each score as text, in the order of `RANKING_NAMES`."""
        return tuple(NOT_KNOWN if math.isnan(v) else f"{v:.4f}" for v in self._values())

    def _values(self) -> Iterator[float]:
        yield from astuple(self)


# What the three are called, everywhere: on the screen, in tables and on pages.
RANKING_NAMES: Final = (
    "by the network's own ranking",
    "by calibrated probability",
    "as shown",
)


def mean_ranking_scores(scores: Sequence[RankingScores], n_images: Sequence[int]) -> RankingScores:
    """Return the mean over the images of several sets; NaN where one of them is not known."""

    def mean(name: str) -> float:
        return float(np.average([getattr(each, name) for each in scores], weights=n_images))

    return RankingScores(**{field.name: mean(field.name) for field in fields(RankingScores)})
