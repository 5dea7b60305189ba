"""Learning curves: what is drawn of each recipe, on one scale, whatever its name."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from PIL import Image

from finding_nemo.reporting.figures.learning_curves import (
    draw_learning_curves,
    learning_curves_figure,
    recipe_curves_svg,
    shared_limits,
)
from finding_nemo.training.loop.epoch_log import EpochRow


def row(epoch: int, score: float, train: float | None = None) -> EpochRow:
    return EpochRow(epoch, 1 / epoch, 2 / epoch, score, 1e-3, 1.0, 5.0, train_map_at_20=train)


HISTORY = (row(1, 0.4, 0.5), row(2, 0.6, 0.7), row(3, 0.6, 0.9))


def lines(axes: Axes) -> list[list[float]]:
    """Return the heights of each line of more than one point."""
    return [heights for line in axes.lines if len(heights := points(line)[1]) > 1]


def points(line: Line2D) -> tuple[list[float], list[float]]:
    """Return where a line goes, across and upwards."""
    across, upwards = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    return across.tolist(), upwards.tolist()


def test_limits__hold_every_known_score_and_are_the_same_for_all() -> None:
    histories = {"a": HISTORY, "b": (row(1, 0.3), row(2, math.nan))}
    assert shared_limits(histories) == pytest.approx((0.25, 1.0))
    assert shared_limits({"a": (row(1, 0.02, 1.0),)}) == (0.0, 1.05)
    assert shared_limits({}) == (0.0, 1.0)


def test_one_recipe__has_loss_and_both_scores() -> None:
    losses, scores = learning_curves_figure({"probe": HISTORY}).axes
    assert lines(scores) == [[0.5, 0.7, 0.9], [0.4, 0.6, 0.6]]
    assert lines(losses)[0] == [1, 1 / 2, 1 / 3]
    # The earlier of equal epochs is kept.
    (kept,) = [points(line) for line in scores.lines if len(points(line)[0]) == 1]
    assert kept == ([2], [0.6])


def test_one_recipe__has_numbers_on_both_axes_of_epochs() -> None:
    figure = learning_curves_figure({"probe": HISTORY})
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.get_xlabel() == "epoch"
        shown = [label for label in axes.get_xticklabels() if label.get_visible()]
        assert {"1", "2", "3"} <= {label.get_text() for label in shown}


def test_several_recipes__have_a_panel_each_on_one_scale() -> None:
    old = (row(1, 0.3), row(2, 0.2))
    figure = learning_curves_figure({"a": HISTORY, "never begun": (), "b": old})
    scores = figure.axes[::2]
    assert [axes.get_title(loc="left") for axes in scores] == ["a", "b"]
    assert len({axes.get_ylim() for axes in scores}) == 1
    # A log of an earlier version knows nothing of training images.
    assert lines(scores[1]) == [[0.3, 0.2]]


def test_panel__of_one_epoch_without_validation_is_drawn() -> None:
    text = recipe_curves_svg("$x_1$ <b>", (row(1, math.nan),), limits=(0, 1))
    assert "$x_1$ &lt;b&gt;" in text


def test_picture__of_twelve_recipes_grows_downwards(tmp_path: Path) -> None:
    sizes = []
    for number in (2, 12):
        draw_learning_curves({f"r{n}": HISTORY for n in range(number)}, tmp_path / "c.png")
        with Image.open(tmp_path / "c.png") as picture:
            sizes.append(picture.size)
    assert sizes[1][0] <= 1.6 * sizes[0][0]
    assert sizes[1][1] >= 3 * sizes[0][1]
