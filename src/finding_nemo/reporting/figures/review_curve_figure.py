"""Frames looked at against MAP@20 of the rest, as a figure and a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from finding_nemo.adaptation.curve_of_reviews import BASE, SUGGESTED, ReviewCurve
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.reporting.figures.palette import FAINT, INK, MODEL, SERIES
from finding_nemo.reporting.figures.svg import log_scale, names_as_text, new_figure, save_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_review_curve(curve: ReviewCurve, path: Path) -> None:
    """Write the curve as a PNG."""
    with atomic_write(path) as partial, partial.open("wb") as file, names_as_text():
        save_png(_figure(curve), file)


def _figure(curve: ReviewCurve) -> Figure:
    figure, axes = new_figure(7.0, 4.2)
    ways = list(dict.fromkeys(point.way for point in curve.points))
    others = [way for way in ways if way != SUGGESTED]
    colors = [color for color in SERIES if color != MODEL]
    for way in [*others, SUGGESTED]:
        points = curve.of(way)
        is_ours = way == SUGGESTED
        is_floor = way.startswith("floor") or way == BASE
        axes.plot(
            [point.n_reviewed for point in points],
            [point.map_at_20 for point in points],
            color=MODEL if is_ours else colors[others.index(way) % len(colors)],
            linewidth=2.4 if is_ours else 1.3,
            linestyle="--" if is_floor else "-",
            marker="o",
            markersize=5 if is_ours else 3,
            label=way,
        )
    log_scale(axes)
    counts = sorted({point.n_reviewed for point in curve.points})
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("frames looked at in each dive", fontsize=9, color=INK)
    axes.set_ylabel("MAP@20 of the dive's other frames", fontsize=9, color=INK)
    handles, names = axes.get_legend_handles_labels()
    first = [*handles[-1:], *handles[:-1]], [*names[-1:], *names[:-1]]
    axes.legend(*first, fontsize=8, frameon=False, edgecolor=FAINT)
    return figure


def curve_rows(curve: ReviewCurve) -> list[tuple[str, ...]]:
    """Return the header and one row a way: MAP@20 / macro AP at each number of frames."""
    counts = sorted({point.n_reviewed for point in curve.points})
    rows = [("way", *(f"{count} frames" for count in counts))]
    for way in dict.fromkeys(point.way for point in curve.points):
        by_count = {point.n_reviewed: point for point in curve.of(way)}
        cells = [
            f"{by_count[count].map_at_20:.3f} / {by_count[count].macro_ap:.3f}"
            if count in by_count
            else ""
            for count in counts
        ]
        rows.append((way, *cells))
    return rows
