"""The figure of scores says every name and number, and shows each on its interval."""

from __future__ import annotations

import numpy as np

from finding_nemo.evaluation.evaluation_results import Measured
from finding_nemo.reporting.figures.scores_figure import ScoreLine, draw_scores
from finding_nemo.reporting.figures.svg import log_scale, new_figure, svg_of

LINES = (
    ScoreLine("model", Measured(0.689, 0.55, 0.78), "#0b6fa4"),
    ScoreLine("class frequency", Measured(0.53, 0.4, 0.63), "#8a939c"),
)


def test_every_name_and_number__is_in_the_picture() -> None:
    text = svg_of(
        lambda axes: draw_scores(axes, LINES, label="MAP@20"), width_in=8.0, height_in=2.0
    )
    for wanted in ("model", "class frequency", "0.689", "0.530", "MAP@20"):
        assert f">{wanted}<" in text


def test_first_line__is_on_top_and_each_dot_on_its_interval() -> None:
    _, axes = new_figure(8.0, 2.0)
    draw_scores(axes, LINES, label="AUC", lowest=0.2)
    bars, dots = axes.lines[::2], axes.lines[1::2]
    assert [np.asarray(bar.get_xdata()).tolist() for bar in bars] == [[0.55, 0.78], [0.4, 0.63]]
    assert [np.asarray(dot.get_xdata()).tolist() for dot in dots] == [[0.689], [0.53]]
    assert [np.asarray(dot.get_ydata()).tolist() for dot in dots] == [[0], [1]]
    bottom, top = axes.get_ylim()
    assert bottom > top
    left, right = axes.get_xlim()
    assert left == 0.2
    assert right > 1


def test_no_line__is_an_empty_picture() -> None:
    assert "<svg" in svg_of(
        lambda axes: draw_scores(axes, (), label="MAP@20"), width_in=8.0, height_in=2.0
    )


def test_log_scale__is_written_as_people_write() -> None:
    figure, axes = new_figure(4.0, 3.0)
    axes.plot([1, 2000], [0.001, 1])
    log_scale(axes, both=True)
    figure.canvas.draw()
    assert "1,000" in [label.get_text() for label in axes.get_xticklabels()]
    assert "0.01" in [label.get_text() for label in axes.get_yticklabels()]
