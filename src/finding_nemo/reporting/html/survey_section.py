"""What the page of a dive says of shares, depth bands and how many categories there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finding_nemo.metrics.prevalence import Estimate
from finding_nemo.reporting.dive.accumulated_categories import CategoriesByEffort
from finding_nemo.reporting.dive.dive_frames import DiveFrames
from finding_nemo.reporting.dive.survey_shares import NameShare
from finding_nemo.reporting.figures.accumulation_figure import accumulation_svg
from finding_nemo.reporting.html.page import svg

_N_NAMES = 12
_N_BANDS = 30


def survey_values(
    found: DiveFrames,
    shares: Sequence[NameShare],
    curves: Sequence[CategoriesByEffort],
    *,
    depth_band_m: float,
) -> dict[str, Any]:
    """Return what the section of shares needs.

    Args:
        found: The frames.
        shares: Of their names.
        curves: Categories by frames, clips and dives.
        depth_band_m: The height of a depth band.
    """
    whole = [one for one in shares if one.scope == "all" and one.n_named]
    n_known = sum(frame.depth_m is not None for frame in found.frames)
    return {
        "shares_of_names": [_share(found, one) for one in whole[:_N_NAMES]],
        "n_more_shares": max(0, len(whole) - _N_NAMES),
        "no_correction": list(dict.fromkeys(one.note for one in whole if one.note)),
        "bands": _bands(found, shares),
        "depth_words": _depth_words(len(found.frames), n_known, depth_band_m),
        "curves": [
            {
                "figure": svg(accumulation_svg(one)),
                "words": _curve_words(one),
            }
            for one in curves
            if one.n_found and one.unit != "clips"
        ],
    }


def _share(found: DiveFrames, one: NameShare) -> dict[str, Any]:
    return {
        "name": found.names[one.name].text,
        "n_named": one.n_named,
        "n_frames": one.n_frames,
        "share": _with_interval(one.share),
        "corrected": _with_interval(one.corrected),
    }


def _with_interval(estimate: Estimate) -> str:
    if not estimate.is_known:
        return "not known"
    value, low, high = (_percent(part) for part in (estimate.value, estimate.low, estimate.high))
    return f"{value} % ({low} to {high})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0 < share < 0.1 else f"{100 * share:.0f}"


def _bands(found: DiveFrames, shares: Sequence[NameShare]) -> list[dict[str, Any]]:
    """Return the depth bands of all dives together, each with its commonest names."""
    frames: dict[tuple[float, float], dict[str, int]] = {}
    names: dict[tuple[float, float], dict[int, int]] = {}
    for one in shares:
        start, end = one.cell.depth_from_m, one.cell.depth_to_m
        if one.scope != "depth" or start is None or end is None:
            continue
        band = (start, end)
        frames.setdefault(band, {})[one.cell.dive] = one.n_frames
        counts = names.setdefault(band, {})
        counts[one.name] = counts.get(one.name, 0) + one.n_named
    return [
        {
            "band": f"{start:,.0f} to {end:,.0f} m",
            "n_frames": sum(frames[start, end].values()),
            "names": ", ".join(
                f"{found.names[name].text} ({n:,})"
                for name, n in sorted(names[start, end].items(), key=lambda item: -item[1])[:3]
                if n
            ),
        }
        for start, end in sorted(frames)[:_N_BANDS]
    ]


def _depth_words(n_frames: int, n_known: int, width_m: float) -> str:
    if not n_known:
        return (
            "No depth is known of these frames. With `--navigation FILE` a table of the vehicle's "
            "depth by time gives it."
        )
    missing = n_frames - n_known
    rest = f"; of {missing:,} frames no depth is known" if missing else ""
    return f"Bands of {width_m:g} m{rest}."


def _curve_words(one: CategoriesByEffort) -> str:
    total, n_found = one.total, one.n_found
    kinds = "category" if n_found == 1 else "categories"
    text = f"{n_found} {kinds} in {one.n_samples:,} {one.unit}."
    if total is None:
        return text
    if total.estimate - n_found < 0.5:
        return f"{text} They hint at no others."
    return (
        f"{text} With those that were not seen about {total.estimate:.0f} "
        f"({total.low:.0f} to {total.high:.0f})."
    )
