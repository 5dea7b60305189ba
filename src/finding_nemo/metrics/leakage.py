"""How much a split leaks: test frames whose neighbours were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.metrics.baselines import FrameKey


@dataclass(frozen=True, slots=True)
class Leakage:
    """Shares of test frames, in [0, 1]; NaN for the spans where no frame has a time.

    Attributes:
        n_test: Test frames.
        same_dive: With any training frame of the same dive.
        within_10_s: With a training frame of the same dive at most 10 s away.
        within_60_s: The same for 60 s.
    """

    n_test: int
    same_dive: float
    within_10_s: float
    within_60_s: float


def measure_leakage(train: Sequence[FrameKey], test: Sequence[FrameKey]) -> Leakage:
    """Return how many test frames have training neighbours."""
    dives = {key.dive for key in train if key.dive}
    same = np.array([key.dive in dives for key in test], dtype=np.float64)
    gaps = seconds_to_nearest(train, test)
    timed = any(not np.isnan(key.time_s) for key in (*train, *test))
    return Leakage(
        n_test=len(test),
        same_dive=_share(same),
        within_10_s=_share(gaps <= 10) if timed else float("nan"),
        within_60_s=_share(gaps <= 60) if timed else float("nan"),
    )


def _share(found: npt.NDArray[np.generic]) -> float:
    return float(found.mean()) if found.size else float("nan")


def seconds_to_nearest(
    others: Sequence[FrameKey], frames: Sequence[FrameKey]
) -> npt.NDArray[np.float64]:
    """Return the seconds from each frame to the nearest other one of its dive.

    Infinity where there is none with a time. The two lists may not share frames; see
    `seconds_to_next` for the neighbours within one list.
    """
    times_of = _times_by_dive(others)
    return np.array([_gap(times_of.get(key.dive), key.time_s) for key in frames])


def seconds_to_next(frames: Sequence[FrameKey]) -> npt.NDArray[np.float64]:
    """Return the seconds from each frame to the nearest other frame of its dive in the list."""
    gaps = np.full(len(frames), np.inf)
    by_dive: dict[str, list[int]] = {}
    for index, key in enumerate(frames):
        if key.dive and not np.isnan(key.time_s):
            by_dive.setdefault(key.dive, []).append(index)
    for members in by_dive.values():
        ordered = sorted(members, key=lambda index: frames[index].time_s)
        steps = np.diff([frames[index].time_s for index in ordered])
        gaps[ordered] = np.minimum(np.append(steps, np.inf), np.insert(steps, 0, np.inf))
    return gaps


def _times_by_dive(keys: Sequence[FrameKey]) -> dict[str, npt.NDArray[np.float64]]:
    times: dict[str, list[float]] = {}
    for key in keys:
        if key.dive and not np.isnan(key.time_s):
            times.setdefault(key.dive, []).append(key.time_s)
    return {dive: np.sort(np.array(values)) for dive, values in times.items()}


def _gap(times: npt.NDArray[np.float64] | None, moment: float) -> float:
    if times is None or np.isnan(moment):
        return float("inf")
    position = int(np.searchsorted(times, moment))
    around = times[max(position - 1, 0) : position + 1]
    return float(np.abs(around - moment).min())
