"""How many categories come in sight with more frames, clips and dives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.metrics.accumulation import (
    AccumulationCurve,
    CategoryTotal,
    accumulation_curve,
    chao2,
)
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame
from finding_nemo.reporting.dive.survey_cells import clip_of

_GUESS = 2
_MOST_POINTS = 60


@dataclass(frozen=True, slots=True)
class CategoriesByEffort:
    """The categories that samples of one kind show.

    Attributes:
        unit: What a sample is: "frames", "clips" or "dives".
        n_samples: How many there are.
        curve: Expected categories by number of samples.
        total: How many there may be, `None` where names are the bundle's alone: it names the common
            animals and few of the rare ones, which the estimate is made of
            (docs/experiments/0048-shares-of-frames.md).
    """

    unit: str
    n_samples: int
    curve: AccumulationCurve
    total: CategoryTotal | None

    @property
    def n_found(self) -> int:
        """The categories that some sample shows."""
        return round(float(self.curve.expected[-1]))


def surely_named(frame: Frame, n_categories: int) -> frozenset[int]:
    """Return the categories of a frame that are more than a guess; no supercategory."""
    answer = () if frame.answer is None or frame.confidence in (None, _GUESS) else (frame.answer,)
    return frozenset(name for name in (*frame.named, *answer) if name < n_categories)


def categories_by_effort(found: DiveFrames) -> tuple[CategoriesByEffort, ...]:
    """Return the curves by frames, clips and dives; a unit of one sample has none."""
    n_categories = len(found.metadata.get("categories", ())) or len(found.names)
    readable = [frame for frame in found.frames if frame.answer is not None]
    shown = [surely_named(frame, n_categories) for frame in readable]
    units: dict[str, Callable[[int], Hashable]] = {
        "frames": lambda place: place,
        "clips": lambda place: clip_of(readable[place]),
        "dives": lambda place: readable[place].dive,
    }
    is_reviewed = all(frame.is_reviewed for frame in readable)
    curves = []
    for unit, sample_of in units.items():
        samples: dict[Hashable, set[int]] = {}
        for place, names in enumerate(shown):
            samples.setdefault(sample_of(place), set()).update(names)
        if len(samples) > 1:
            curves.append(_curve(unit, list(samples.values()), n_categories, is_reviewed))
    return tuple(curves)


def _curve(
    unit: str, samples: Sequence[set[int]], n_categories: int, is_reviewed: bool
) -> CategoriesByEffort:
    incidence = np.zeros(n_categories, dtype=np.int64)
    for names in samples:
        incidence[list(names)] += 1
    at = np.unique(np.linspace(1, len(samples), min(_MOST_POINTS, len(samples))).astype(np.int64))
    return CategoriesByEffort(
        unit,
        len(samples),
        accumulation_curve(incidence, len(samples), at),
        chao2(incidence, len(samples)) if is_reviewed else None,
    )


def accumulation_table(curves: Sequence[CategoriesByEffort]) -> list[Sequence[object]]:
    """Return header and rows of `accumulation.csv`; an estimate stands in a unit's last row."""
    rows: list[Sequence[object]] = [
        (
            *("unit", "samples", "expected_categories", "expected_low", "expected_high"),
            *("chao2_categories", "chao2_low", "chao2_high"),
        )
    ]
    for one in curves:
        curve, total = one.curve, one.total
        for place, n_samples in enumerate(curve.n_samples.tolist()):
            values = (curve.expected[place], curve.low[place], curve.high[place])
            is_last = total is not None and n_samples == one.n_samples
            ends = (total.estimate, total.low, total.high) if total and is_last else ()
            estimate = [f"{value:.2f}" for value in ends] or [""] * 3
            rows.append((one.unit, n_samples, *(f"{value:.3f}" for value in values), *estimate))
    return rows
