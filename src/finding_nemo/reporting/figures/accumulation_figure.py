"""Categories that come in sight with more samples, as a small figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finding_nemo.reporting.figures.palette import INK, MODEL
from finding_nemo.reporting.figures.svg import svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from finding_nemo.reporting.dive.accumulated_categories import CategoriesByEffort


def accumulation_svg(found: CategoriesByEffort) -> str:
    """Return the curve with its interval."""

    def draw(axes: Axes) -> None:
        curve = found.curve
        axes.fill_between(curve.n_samples, curve.low, curve.high, color=MODEL, alpha=0.18, lw=0)
        axes.plot(curve.n_samples, curve.expected, color=MODEL, linewidth=2)
        axes.set_xlim(0, found.n_samples)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"{found.unit} looked at", color=INK, fontsize=9)
        axes.set_ylabel("categories", color=INK, fontsize=9)

    return svg_of(draw, width_in=4.2, height_in=2.5)
