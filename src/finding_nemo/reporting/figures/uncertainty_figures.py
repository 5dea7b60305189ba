"""Figures of how far predictions can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from finding_nemo.evaluation.evaluation_results import Evaluation, Measured
from finding_nemo.evaluation.uncertainty_results import ScorerResult, UncertaintyResults
from finding_nemo.metrics.calibration_error import Reliability
from finding_nemo.reporting.figures.palette import FAINT, INK, MODEL, PRIOR, TIME_COPY
from finding_nemo.reporting.figures.scores_figure import ScoreLine, draw_scores
from finding_nemo.reporting.figures.svg import log_scale, svg_of
from finding_nemo.reporting.html.page import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Below it cells are so many that they would hide the others on a linear axis.
_LEAST_SHOWN = 1e-3
_UNUSUAL = 0.95
RELIABILITY_SIZE_IN = (5.2, 4.2)


def uncertainty_figures(uncertainty: UncertaintyResults) -> dict[str, Any]:
    """Return the figures by name."""
    figures = {"reliability": svg(_reliability(uncertainty))}
    if uncertainty.scorers:
        figures["novelty"] = svg(_novelty(uncertainty.scorers))
    return figures


def unusual_share(evaluation: Evaluation) -> dict[str, float] | None:
    """Return the share of judged frames beyond 95 % of the validation frames, if known."""
    values = np.array([image.novelty_percentile for image in evaluation.images])
    known = values[~np.isnan(values)]
    return {"share": float((known >= _UNUSUAL).mean())} if known.size else None


def _novelty(scorers: Sequence[ScorerResult]) -> str:
    colours = {"default": MODEL, "score": TIME_COPY, "floor": PRIOR}
    shown = sorted(scorers, key=lambda s: (s.kind == "floor", -s.auc))
    lines = [
        ScoreLine(s.name, Measured(s.auc, s.auc_low, s.auc_high), colours[s.kind]) for s in shown
    ]

    def draw(axes: Axes) -> None:
        axes.axvline(0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        draw_scores(axes, lines, label="AUC", lowest=0.2)

    return svg_of(draw, width_in=8.4, height_in=0.8 + 0.3 * len(shown))


def _reliability(uncertainty: UncertaintyResults) -> str:
    width_in, height_in = RELIABILITY_SIZE_IN
    return svg_of(
        lambda axes: draw_reliability(axes, uncertainty), width_in=width_in, height_in=height_in
    )


def draw_reliability(axes: Axes, uncertainty: UncertaintyResults) -> None:
    """Draw how often what was given a probability was so, by probability."""
    axes.plot([_LEAST_SHOWN, 1], [_LEAST_SHOWN, 1], color=FAINT, linewidth=1.2)
    if uncertainty.raw is not None:
        _dots(axes, uncertainty.raw, TIME_COPY, "before calibration")
    _dots(axes, uncertainty.calibrated, MODEL, "as given")
    log_scale(axes, both=True)
    axes.set_xlim(_LEAST_SHOWN, 1)
    axes.set_ylim(_LEAST_SHOWN, 1)
    axes.set_xlabel("probability given", fontsize=9, color=INK)
    axes.set_ylabel("share that was so", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def _dots(axes: Axes, reliability: Reliability, colour: str, label: str) -> None:
    shown = [b for b in reliability.bins if b.mean_probability >= _LEAST_SHOWN]
    axes.plot(
        [b.mean_probability for b in shown],
        [max(b.share_true, _LEAST_SHOWN) for b in shown],
        "o-",
        color=colour,
        markersize=5,
        linewidth=1,
        label=label,
    )
