"""Figures as SVG text for pages, drawn without a display."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from finding_nemo.core.text.printable import printable
from finding_nemo.reporting.figures.palette import FAINT, INK, MODEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Draw = Callable[["Axes"], None]

# In the width of a figure; a name of 300 letters would leave no room for its bars.
_LONGEST_NAME = 44
# What matplotlib adds unasked: a date that differs in every run, in a block with addresses, of
# which the page of a dive has none.
_NOTHING_ABOUT = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@contextmanager
def names_as_text() -> Iterator[None]:
    r"""Let figures that are made and written within show names as they are.

    "$5 \frac{" is a name, not mathematics. A letter that the font lacks (Chinese, an emoji) is
    found by the browser, for an SVG holds its text; matplotlib's warning would say otherwise.
    """
    import matplotlib as mpl

    with warnings.catch_warnings(), mpl.rc_context({"text.parse_math": False}):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def shown_name(name: str, *, most: int = _LONGEST_NAME) -> str:
    """Return a name for a figure: no control characters, of one line, not endless, not empty."""
    text = printable(name).strip() or "(no name)"
    return text if len(text) <= most else text[: most - 1] + "…"


def new_figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """Return an empty figure with one quiet pair of axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.add_subplot()
    style_axes(axes)
    return figure, axes


def style_axes(axes: Axes) -> None:
    """Leave only what helps to read the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def log_scale(axes: Axes, *, both: bool = False) -> None:
    """Let the horizontal axis, or both, run by factors of ten, written 1, 10, 100."""
    from matplotlib.ticker import LogFormatter

    axes.set_xscale("log")
    if both:
        axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis) if both else (axes.xaxis,):
        axis.set_major_formatter("{x:,g}")
        # Its usual one writes mathematics.
        axis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(1, 0.4)))


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG element, the same bytes for the same data."""
    import matplotlib as mpl

    text = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "finding-nemo", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata=_NOTHING_ABOUT)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def save_png(figure: Figure, file: BinaryIO) -> None:
    """Write a figure as a PNG."""
    figure.savefig(file, format="png", dpi=130, facecolor="white", metadata={"Software": None})


def svg_of(draw: Draw, *, width_in: float, height_in: float) -> str:
    """Return the SVG of what `draw` draws, with names as they are."""
    with names_as_text():
        figure, axes = new_figure(width_in, height_in)
        draw(axes)
        return to_svg(figure)


def bars_svg(
    names: Sequence[str], values: Sequence[float], *, label: str, width_in: float = 7.2
) -> str:
    """Return horizontal bars, the first on top, each with its value."""

    def draw(axes: Axes) -> None:
        positions = range(len(names))
        axes.barh(positions, values, color=MODEL, height=0.66)
        axes.set_yticks(positions, [shown_name(name) for name in names])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label, color=INK, fontsize=9)
        for position, value in zip(positions, values, strict=True):
            axes.annotate(
                f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:.3f}",
                (value, position),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=INK,
            )
        axes.margins(x=0.12, y=0.01)

    return svg_of(draw, width_in=width_in, height_in=0.6 + 0.24 * len(names))


def columns_svg(
    names: Sequence[str], values: Sequence[float], *, label: str, width_in: float = 7.2
) -> str:
    """Return upright bars in the order given, each with its value."""

    def draw(axes: Axes) -> None:
        positions = range(len(names))
        axes.bar(positions, values, color=MODEL, width=0.72)
        axes.set_xticks(
            positions, [shown_name(name) for name in names], rotation=60 if len(names) > 12 else 0
        )
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(label, color=INK, fontsize=9)
        axes.set_ylabel("images", color=INK, fontsize=9)
        if len(names) <= 16:
            for position, value in zip(positions, values, strict=True):
                axes.annotate(
                    f"{value:,.0f}",
                    (position, value),
                    xytext=(0, 3),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                    color=INK,
                )
        axes.margins(y=0.12)

    return svg_of(draw, width_in=width_in, height_in=2.9)
