"""Learning curves: MAP@20 and loss over epochs, of validation and of training images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.reporting.figures.palette import INK, MODEL, TIME_COPY
from finding_nemo.reporting.figures.svg import (
    names_as_text,
    save_png,
    shown_name,
    style_axes,
    to_svg,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Panels side by side in a picture of several recipes; on a page the window decides.
_COLUMNS = 3
# Letters of a title that fit over a panel at the usual size.
_USUAL_TITLE = 34
_VALIDATION, _TRAINING = MODEL, TIME_COPY


class EpochLike(Protocol):
    """What a curve needs of an epoch."""

    @property
    def epoch(self) -> int:
        """From 1."""

    @property
    def training_loss(self) -> float:
        """Mean over the training images."""

    @property
    def validation_loss(self) -> float:
        """Mean over the validation images."""

    @property
    def map_at_20(self) -> float:
        """Of the validation images, by the network's own ranking."""

    @property
    def train_map_at_20(self) -> float | None:
        """Of training images, if it is known."""


Histories = Mapping[str, Sequence[EpochLike]]
Limits = tuple[float, float]


def draw_learning_curves(histories: Histories, path: Path) -> None:
    """Write the curves of one or more recipes as a PNG."""
    with atomic_write(path) as partial, partial.open("wb") as file, names_as_text():
        save_png(learning_curves_figure(histories), file)


def learning_curves_svg(histories: Histories) -> str:
    """Return the curves of one or more recipes as SVG."""
    with names_as_text():
        return to_svg(learning_curves_figure(histories))


def recipe_curves_svg(name: str, history: Sequence[EpochLike], *, limits: Limits) -> str:
    """Return one recipe's panel as SVG: MAP@20 above, loss below.

    Args:
        name: The recipe.
        history: Its epochs, at least one.
        limits: Of the axis of MAP@20, from `shared_limits` of all panels.
    """
    from matplotlib.figure import Figure

    with names_as_text():
        figure = Figure(figsize=(3.7, 3.5), layout="constrained")
        scores, losses = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        _draw_panel(scores, losses, name, history, limits)
        return to_svg(figure)


def learning_curves_figure(histories: Histories) -> Figure:
    """Return one panel for each recipe; a recipe alone has MAP@20 and loss side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=curves_size_in(histories), layout="constrained")
    draw_curves(figure, histories)
    return figure


def curves_size_in(histories: Histories) -> tuple[float, float]:
    """Return width and height in inches of what `draw_curves` draws."""
    n_shown = sum(1 for history in histories.values() if history)
    if n_shown <= 1:
        return 9.0, 3.4
    n_columns = min(_COLUMNS, n_shown)
    return 3.3 * n_columns, 3.2 * math.ceil(n_shown / n_columns) + 0.3


def draw_curves(figure: Figure, histories: Histories) -> None:
    """Draw one panel for each recipe into an empty figure of `curves_size_in`."""
    shown = {name: history for name, history in histories.items() if history}
    limits = shared_limits(shown)
    if len(shown) <= 1:
        losses, scores = figure.subplots(1, 2)
        for name, history in shown.items():
            _draw_panel(scores, losses, name, history, limits)
        for axes, title in ((losses, "loss"), (scores, "MAP@20, by the network's own ranking")):
            style_axes(axes)
            axes.set_title(title, fontsize=10, color=INK, loc="left")
            axes.set_ylabel("")
            axes.set_xlabel("epoch", fontsize=9, color=INK)
            axes.tick_params(labelbottom=True)
    else:
        n_columns = min(_COLUMNS, len(shown))
        grid = figure.add_gridspec(math.ceil(len(shown) / n_columns), n_columns)
        for place, (name, history) in enumerate(shown.items()):
            cell = grid[place // n_columns, place % n_columns].subgridspec(
                2, 1, height_ratios=(2, 1)
            )
            scores = figure.add_subplot(cell[0])
            losses = figure.add_subplot(cell[1], sharex=scores)
            _draw_panel(scores, losses, name, history, limits)
    _add_legend(figure)


def shared_limits(histories: Histories) -> Limits:
    """Return the ends of the axis of MAP@20 that panels have in common, within [0, 1.05]."""
    values = [
        value
        for history in histories.values()
        for row in history
        for value in (row.map_at_20, row.train_map_at_20)
        if value is not None and math.isfinite(value)
    ]
    if not values:
        return 0.0, 1.0
    return max(0.0, min(values) - 0.05), min(1.05, max(values) + 0.1)


def _draw_panel(
    scores: Axes, losses: Axes, name: str, history: Sequence[EpochLike], limits: Limits
) -> None:
    from matplotlib.ticker import MaxNLocator

    for axes, label in ((scores, "MAP@20"), (losses, "loss")):
        style_axes(axes)
        axes.set_ylabel(label, fontsize=9, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.set_xlabel("epoch", fontsize=9, color=INK)
    title = shown_name(name)
    size = 10 if len(title) <= _USUAL_TITLE else 7.5
    scores.set_title(title, fontsize=size, color=INK, loc="left")
    scores.tick_params(labelbottom=False)
    scores.set_ylim(*limits)
    epochs = [row.epoch for row in history]
    known = [row for row in history if row.train_map_at_20 is not None]
    _draw_line(scores, [r.epoch for r in known], [r.train_map_at_20 for r in known], _TRAINING)
    _draw_line(scores, epochs, [row.map_at_20 for row in history], _VALIDATION)
    _draw_line(losses, epochs, [row.training_loss for row in history], _TRAINING)
    _draw_line(losses, epochs, [row.validation_loss for row in history], _VALIDATION)
    _mark_best(scores, history)


def _draw_line(
    axes: Axes, epochs: Sequence[int], values: Sequence[float | None], colour: str
) -> None:
    axes.plot(
        epochs,
        [math.nan if value is None else value for value in values],
        color=colour,
        linestyle="--" if colour == _TRAINING else "-",
        marker="o" if len(epochs) == 1 else None,
    )


def _mark_best(axes: Axes, history: Sequence[EpochLike]) -> None:
    """Mark the epoch that is kept: the highest of the validation images, the earlier of equals."""
    finite = [row for row in history if math.isfinite(row.map_at_20)]
    if not finite:
        return
    best = max(finite, key=lambda row: (row.map_at_20, -row.epoch))
    axes.plot(best.epoch, best.map_at_20, "o", color=_VALIDATION)
    axes.annotate(
        f"{best.map_at_20:.3f}",
        (best.epoch, best.map_at_20),
        xytext=(0, -13),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=_VALIDATION,
    )


def _add_legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=_VALIDATION, label="validation images"),
        Line2D([], [], color=_TRAINING, linestyle="--", label="training images"),
    ]
    figure.legend(handles=lines, loc="outside upper right", ncols=2, fontsize=8, frameon=False)
