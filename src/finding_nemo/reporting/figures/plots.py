"""Pictures of runs, comparisons, evaluations and data sets, as figures for notebooks and slides."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from finding_nemo.core.errors import ArgumentError, TrainingError
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.wrong_argument import check_argument, wrong_argument
from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.evaluation.recipe_comparison import ComparisonRow
from finding_nemo.reporting.figures.learning_curves import (
    EpochLike,
    Histories,
    curves_size_in,
    draw_curves,
)
from finding_nemo.reporting.figures.palette import INK, MODEL, SERIES
from finding_nemo.reporting.figures.scores_figure import (
    MethodLine,
    comparison_size_in,
    draw_comparison,
)
from finding_nemo.reporting.figures.svg import names_as_text, shown_name, style_axes
from finding_nemo.reporting.figures.uncertainty_figures import (
    RELIABILITY_SIZE_IN,
    draw_reliability,
)
from finding_nemo.training.loop.epoch_log import read_log

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# So many bars can be read; the rest of a long tail is a curve.
_MOST_BARS = 24
# Fewer images than this say little of a category.
_FEW_IMAGES = 10


@runtime_checkable
class GivesHistory(Protocol):
    """A training that ended."""

    @property
    def history(self) -> Sequence[EpochLike]:
        """One row an epoch."""
        ...


@runtime_checkable
class GivesHistories(Protocol):
    """A comparison, with the epochs of each of its trainings."""

    @property
    def histories(self) -> Histories:
        """From recipe to one row an epoch."""
        ...


@runtime_checkable
class GivesRows(Protocol):
    """A comparison, with a row a recipe."""

    @property
    def rows(self) -> Sequence[ComparisonRow]:
        """One a recipe and protocol."""
        ...


def plot_curves(runs: object) -> Figure:
    """Plot loss and validation MAP@20 over epochs, the best epoch marked.

    Args:
        runs: What `train` returned, the path of a run folder, a comparison, or a dictionary from
            names to runs and folders.

    Returns:
        A matplotlib figure; `figure.savefig("curves.png")` writes it.

    Raises:
        ArgumentError: If it is anything else.
        TrainingError: If there are no epochs to plot.

    Example:
        >>> finding_nemo.plot_curves(run).savefig("curves.png")  # doctest: +SKIP
        >>> finding_nemo.plot_curves({"probe": run, "nemo": "runs/nemo"})  # doctest: +SKIP
    """
    histories = _histories(runs)
    if not any(len(history) for history in histories.values()):
        raise TrainingError(
            f"{', '.join(histories) or 'The comparison'}: no epoch has ended, so there are no "
            "curves. Recipes that open no image have none."
        )
    return _figure(curves_size_in(histories), lambda figure: draw_curves(figure, histories))


def _histories(runs: object) -> Histories:
    if isinstance(runs, GivesHistories):
        return runs.histories
    if isinstance(runs, Mapping):
        return {str(name): _history(run)[1] for name, run in runs.items()}
    name, history = _history(runs)
    return {name: history}


def _history(run: object) -> tuple[str, Sequence[EpochLike]]:
    if isinstance(run, GivesHistory):
        return str(getattr(getattr(run, "folder", None), "name", "run")), run.history
    if isinstance(run, str | os.PathLike):
        return Path(run).resolve().name, read_log(Path(run))
    takes = "what train() returned, the path of a run folder, a comparison, or a dictionary of runs"
    raise wrong_argument("plot_curves()", takes, run)


def plot_comparison(results: object) -> Figure:
    """Plot MAP@20 of several recipes on their 95 % intervals by dive, class frequency beside them.

    Args:
        results: What `compare` returned, its rows, or a dictionary from names to evaluations.

    Returns:
        A matplotlib figure.

    Raises:
        ArgumentError: If it is anything else, or nothing in it has a score.

    Example:
        >>> finding_nemo.plot_comparison(comparison)  # doctest: +SKIP
        >>> finding_nemo.plot_comparison({"mine": found, "nemo": other})  # doctest: +SKIP
    """
    lines = _lines(results)
    if not lines:
        raise ArgumentError("plot_comparison() got no result with a score: every recipe failed.")

    def draw(figure: Figure) -> None:
        draw_comparison(_axes(figure), lines)

    return _figure(comparison_size_in(len(lines)), draw)


def _lines(results: object) -> list[MethodLine]:
    takes = "what compare() returned, its rows, or a dictionary from names to evaluations"
    if isinstance(results, GivesRows):
        results = results.rows
    if isinstance(results, Mapping):
        named = list(results.items())
        for _, found in named:
            check_argument(found, Evaluation, "plot_comparison()", takes)
        return [
            MethodLine(
                str(name),
                found.model.map_at_20,
                SERIES[number % len(SERIES)],
                found.prior.map_at_20.value,
            )
            for number, (name, found) in enumerate(named)
        ]
    if not isinstance(results, Sequence) or isinstance(results, str):
        raise wrong_argument("plot_comparison()", takes, results)
    for row in results:
        check_argument(row, ComparisonRow, "plot_comparison()", takes)
    shown = [row for row in results if row.failure is None]
    protocols = list(dict.fromkeys(row.protocol for row in shown))
    return [
        MethodLine(
            row.recipe if len(protocols) == 1 else f"{row.recipe}, {row.protocol}",
            row.map_at_20,
            SERIES[protocols.index(row.protocol) % len(SERIES)],
            row.prior_map_at_20,
        )
        for row in shown
    ]


def plot_reliability(evaluation: Evaluation) -> Figure:
    """Plot how often what was given a probability was so: on the line, probabilities are honest.

    Args:
        evaluation: From `evaluate`.

    Returns:
        A matplotlib figure, both axes by factors of ten.

    Raises:
        ArgumentError: If it is no evaluation, or none of its images could be read.

    Example:
        >>> found = finding_nemo.evaluate("dive.parquet", dataset)  # doctest: +SKIP
        >>> finding_nemo.plot_reliability(found)  # doctest: +SKIP
    """
    check_argument(evaluation, Evaluation, "plot_reliability()", "an Evaluation, from evaluate()")
    uncertainty = evaluation.uncertainty
    if uncertainty is None:
        raise ArgumentError(
            "plot_reliability() got an evaluation of images none of which could be read, so there "
            "are no probabilities to plot."
        )
    return _figure(RELIABILITY_SIZE_IN, lambda figure: draw_reliability(_axes(figure), uncertainty))


def plot_categories(dataset: Dataset) -> Figure:
    """Plot in how many images each category is, the most frequent first: the long tail.

    Args:
        dataset: The data set; its annotated images are counted.

    Returns:
        A matplotlib figure: bars with names, and for many categories a curve of all of them.

    Raises:
        ArgumentError: If it is no data set, or no image of it holds a category.

    Example:
        >>> finding_nemo.plot_categories(dataset).savefig("long-tail.png")  # doctest: +SKIP
    """
    check_argument(dataset, Dataset, "plot_categories()", "a Dataset, from read_dataset()")
    counts = dataset.truth().sum(axis=0)
    if not counts.any():
        raise ArgumentError("plot_categories() got a data set in which no image holds a category.")
    order = np.argsort(-counts, kind="stable")
    names = [dataset.categories.names[column] for column in order]
    ranked = [int(counts[column]) for column in order]

    def draw(figure: Figure) -> None:
        if len(ranked) <= _MOST_BARS:
            _bars(_axes(figure), names, ranked)
            return
        left, right = figure.subplots(1, 2)
        for axes in (left, right):
            style_axes(axes)
        _bars(left, names[:_MOST_BARS], ranked[:_MOST_BARS])
        _tail(right, ranked)

    n_bars = min(len(ranked), _MOST_BARS)
    width_in = 7.2 if len(ranked) <= _MOST_BARS else 11.0
    return _figure((width_in, 1.0 + 0.24 * max(n_bars, 4)), draw)


def _bars(axes: Axes, names: Sequence[str], counts: Sequence[int]) -> None:
    positions = range(len(names))
    axes.barh(positions, counts, color=MODEL, height=0.66)
    axes.set_yticks(positions, [shown_name(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("images", color=INK, fontsize=9)
    for position, count in zip(positions, counts, strict=True):
        axes.annotate(
            f"{count:,}",
            (count, position),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.margins(x=0.12)


def _tail(axes: Axes, counts: Sequence[int]) -> None:
    shown = [count for count in counts if count]
    axes.plot(range(1, len(shown) + 1), shown, color=MODEL, linewidth=2)
    axes.fill_between(range(1, len(shown) + 1), shown, 0.8, color=MODEL, alpha=0.15)
    axes.set_yscale("log")
    axes.set_ylim(0.8, max(shown) * 1.6)
    axes.set_xlim(1, len(counts))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlabel(f"all {len(counts):,} categories, most frequent first", color=INK, fontsize=9)
    axes.set_ylabel("images", color=INK, fontsize=9)
    few = sum(0 < count < _FEW_IMAGES for count in counts)
    words = f"{few:,} categories are in fewer than {_FEW_IMAGES} images"
    if absent := len(counts) - len(shown):
        words += f",\n{absent:,} in none"
    axes.text(0.98, 0.95, words, transform=axes.transAxes, ha="right", va="top", color=INK)


def _axes(figure: Figure) -> Axes:
    axes = figure.add_subplot()
    style_axes(axes)
    return axes


def _figure(size_in: tuple[float, float], draw: Callable[[Figure], None]) -> Figure:
    """Return a figure that shows itself, with names as they are."""
    from finding_nemo.reporting.figures.shown_figure import ShownFigure

    with names_as_text():
        figure = ShownFigure(figsize=size_in, layout="constrained")
        draw(figure)
    return figure
