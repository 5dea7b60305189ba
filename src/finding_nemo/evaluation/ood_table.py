"""Every novelty score beside two floors: metadata alone, and mean brightness alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float64s
from finding_nemo.core.records import ImageRecord
from finding_nemo.evaluation.uncertainty_results import ScorerResult
from finding_nemo.metrics.ood_detection import Detection, measure_detection

BRIGHTNESS = "mean brightness alone"
METADATA = "metadata alone"


def novelty_table(
    novel: npt.NDArray[np.bool_],
    scores: dict[str, Float64s],
    baselines: dict[str, Float64s],
    dives: Sequence[str],
    *,
    default: str,
) -> tuple[ScorerResult, ...]:
    """Return one result a score, then the floors.

    Empty where no image is novel, or all are. Images without a number are left out, for all
    scores alike.

    Args:
        novel: Whether each image holds a category that training never saw.
        scores: By name, higher = further out.
        baselines: By name, of unknown direction; constants are left out.
        dives: The dive of each image.
        default: The score that is shown to people.
    """
    usable = np.asarray(~np.isnan(np.stack(list(scores.values()))).any(axis=0))
    kept_dives = [dive for dive, fine in zip(dives, usable, strict=True) if fine]
    if not novel[usable].any() or novel[usable].all():
        return ()
    results = []
    for name, values in scores.items():
        kind = "default" if name == default else "score"
        found = measure_detection(novel[usable], values[usable], kept_dives)
        results.append(_result(name, kind, found))
    for name, values in baselines.items():
        known = np.where(np.isnan(values), np.nanmedian(values), values)[usable]
        if np.ptp(known) > 0:
            results.append(_baseline(name, novel[usable], known, kept_dives))
    return tuple(results)


def _baseline(
    name: str, novel: npt.NDArray[np.bool_], values: Float64s, dives: Sequence[str]
) -> ScorerResult:
    up = measure_detection(novel, values, dives)
    down = measure_detection(novel, -values, dives)
    return _result(name, "floor", max(up, down, key=lambda found: found.auc))


def _result(name: str, kind: str, found: Detection) -> ScorerResult:
    return ScorerResult(
        name=name,
        kind=kind,
        auc=found.auc,
        auc_low=found.auc_interval.low,
        auc_high=found.auc_interval.high,
        scaled_auc=2 * found.auc - 1,
        fpr_at_95=found.fpr_at_95,
        fpr_low=found.fpr_interval.low,
        fpr_high=found.fpr_interval.high,
    )


def baseline_scores(
    records: Sequence[ImageRecord],
    widths: Sequence[int | None],
    heights: Sequence[int | None],
    brightness: Float64s | None,
) -> dict[str, Float64s]:
    """Return the floors' values by name: width, height, year, and brightness where it is known."""
    known = {
        f"{METADATA}: width": [w or r.width for w, r in zip(widths, records, strict=True)],
        f"{METADATA}: height": [h or r.height for h, r in zip(heights, records, strict=True)],
        f"{METADATA}: year": [r.captured.year if r.captured else None for r in records],
    }
    baselines = {
        name: np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        for name, values in known.items()
    }
    if brightness is not None:
        baselines[BRIGHTNESS] = brightness
    return {name: values for name, values in baselines.items() if not np.isnan(values).all()}
