"""Learning curves: loss and MAP@20 over epochs, the best epoch marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.reporting.figures.palette import INK, SERIES
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
        """Of the validation images."""


Histories = Mapping[str, Sequence[EpochLike]]
CURVES_SIZE_IN = (9.0, 3.4)


def draw_learning_curves(histories: Histories, path: Path) -> None:
    """Write the curves of one or more recipes as a PNG."""
    with atomic_write(path) as partial, partial.open("wb") as file, names_as_text():
        save_png(_curves(histories), file)


def learning_curves_svg(histories: Histories) -> str:
    """Return the curves of one or more recipes as SVG."""
    with names_as_text():
        return to_svg(_curves(histories))


def _curves(histories: Histories) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=CURVES_SIZE_IN, layout="constrained")
    draw_curves(figure, histories)
    return figure


def draw_curves(figure: Figure, histories: Histories) -> None:
    """Draw the curves of one or more recipes into an empty figure."""
    losses, scores = figure.subplots(1, 2)
    for axes, title in ((losses, "loss"), (scores, "validation MAP@20")):
        style_axes(axes)
        axes.set_title(title, fontsize=10, color=INK, loc="left")
        axes.set_xlabel("epoch", fontsize=9, color=INK)
        axes.xaxis.get_major_locator().set_params(integer=True)
    for number, (name, history) in enumerate(histories.items()):
        if history:
            _draw_one(losses, scores, shown_name(name), history, SERIES[number % len(SERIES)])
    if any(len(history) for history in histories.values()):
        # A legend of many recipes hides curves; it may not squeeze the axes to nothing.
        losses.legend(fontsize=8, frameon=False).set_in_layout(False)


def _draw_one(
    losses: Axes, scores: Axes, name: str, history: Sequence[EpochLike], colour: str
) -> None:
    epochs = [row.epoch for row in history]
    # Lines whose label begins with "_" are left out of legends.
    name = f" {name}" if name.startswith("_") else name
    marker = "o" if len(epochs) == 1 else None
    losses.plot(
        epochs,
        [row.training_loss for row in history],
        color=colour,
        marker=marker,
        label=f"{name}, training",
    )
    losses.plot(
        epochs,
        [row.validation_loss for row in history],
        color=colour,
        linestyle="--",
        marker=marker,
        label=f"{name}, validation",
    )
    values = [row.map_at_20 for row in history]
    scores.plot(epochs, values, color=colour, marker=marker)
    best = max(range(len(values)), key=lambda index: (values[index], -index))
    scores.plot(epochs[best], values[best], "o", color=colour)
    scores.annotate(
        f"{values[best]:.3f}",
        (epochs[best], values[best]),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=colour,
    )
    scores.margins(y=0.15)
