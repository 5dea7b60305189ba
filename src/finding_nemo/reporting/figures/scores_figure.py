"""Scores with their intervals, one a line: the figure that all pages have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finding_nemo.evaluation.evaluation_results import Measured
from finding_nemo.reporting.figures.palette import INK, PRIOR
from finding_nemo.reporting.figures.svg import shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Right of a whole score there must be room for its number.
_ROOM = 0.06


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One line of the figure: a name, its score and interval, and a colour."""

    name: str
    score: Measured
    colour: str


@dataclass(frozen=True, slots=True)
class MethodLine(ScoreLine):
    """One way of ranking, with what class frequency scores on the same images."""

    prior: float


def comparison_size_in(n_lines: int) -> tuple[float, float]:
    """Return the width and height that `draw_comparison` needs, in inches."""
    return 9.4, 1.0 + 0.36 * max(n_lines, 1)


def draw_comparison(axes: Axes, lines: Sequence[MethodLine]) -> None:
    """Draw each MAP@20 on its interval, with a tick for class frequency; the first on top."""
    draw_scores(axes, lines, label="MAP@20; the grey tick is class frequency")
    for position, line in enumerate(lines):
        axes.plot(line.prior, position, "|", color=PRIOR, markersize=12, markeredgewidth=2)


def draw_scores(axes: Axes, lines: Sequence[ScoreLine], *, label: str, lowest: float = 0.0) -> None:
    """Draw each score as a dot on its interval, with its number beside it; the first on top.

    A score that is not a number has its name alone.

    Args:
        axes: Where.
        lines: What.
        label: Of the horizontal axis.
        lowest: Where that axis begins; it ends at 1.
    """
    for position, line in enumerate(lines):
        score, colour = line.score, line.colour
        if math.isnan(score.value):
            continue
        axes.plot(
            [score.low, score.high], [position, position], color=colour, linewidth=3, alpha=0.45
        )
        axes.plot(score.value, position, "o", color=colour, markersize=8)
        axes.annotate(
            f"{score.value:.3f}",
            (score.value if math.isnan(score.high) else score.high, position),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=colour,
            weight="bold",
        )
    axes.set_yticks(range(len(lines)), [shown_name(line.name) for line in lines], fontsize=9)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(lowest, 1 + _ROOM * (1 - lowest))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(label, fontsize=9, color=INK)
