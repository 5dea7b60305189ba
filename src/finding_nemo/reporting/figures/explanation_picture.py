"""Where in frames guesses come from, as a picture: the frame, then one map a guess beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finding_nemo.core.arrays import Float64s, Pixels
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.prediction.explain_frames import COVERING, EXACT, ExplainedGuess, MapWay
from finding_nemo.reporting.figures.look_picture import overlay
from finding_nemo.reporting.figures.palette import INK, PRIOR
from finding_nemo.reporting.figures.svg import names_as_text, save_png, shown_name, to_svg
from finding_nemo.reporting.guess_rows import probability_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All in inches.
_PANEL, _GAP, _MARGIN, _TITLE = 3.7, 0.16, 0.2, 0.56
_RAMP, _LINE = 0.22, 0.2
_MOST_TALL = 1.3  # a frame upright is drawn no taller than this part of its width
_NAME_PT, _BELOW_PT = 11.0, 9.5
_LETTER = 0.0082  # the width of a letter, in inches a point of its size
# The frame below a map has no colours, so that every colour is the map's; and little contrast.
_DARKEST, _BRIGHTEST = 0.10, 0.72
WAYS = {
    EXACT: "Exact: the network itself says how much each part of the frame speaks for the guess.",
    COVERING: "By covering parts: one part of the frame after the other was painted over. The map "
    "shows where that made the guess less sure.",
}


SCALE = (
    "The colours, from left to right: speaks no more for the guess than the rest of the frame, to "
    "speaks most for it. White line: half of the most. Each map has its own scale."
)
CAUTION = "A map shows what the network went by, not where the animal ends. It may be wrong."


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedFrame:
    """One row of the picture.

    Attributes:
        name: Of the frame, for people.
        pixels: The frame, uint8 (height, width, 3).
        guesses: With their maps, best first.
        answer: What is said of the frame, in words; "" where nothing is.
    """

    name: str
    pixels: Pixels
    guesses: tuple[ExplainedGuess, ...]
    answer: str = ""


def draw_explanation(frames: Sequence[ExplainedFrame], path: Path, *, way: MapWay) -> None:
    """Write the picture as PNG or SVG by the name's suffix.

    Args:
        frames: One a row, at least one.
        path: The file.
        way: How the maps were made, which the legend says.
    """
    with atomic_write(path) as partial, names_as_text():
        figure = _figure(frames, way)
        if path.suffix.lower() == ".svg":
            declared = f'<?xml version="1.0" encoding="utf-8"?>\n{to_svg(figure)}'
            partial.write_text(declared, encoding="utf-8")
        else:
            with partial.open("wb") as file:
                save_png(figure, file)


def _figure(frames: Sequence[ExplainedFrame], way: MapWay) -> Figure:
    from matplotlib.figure import Figure

    heights = [_PANEL * min(f.pixels.shape[0] / f.pixels.shape[1], _MOST_TALL) for f in frames]
    n_panels = max(1 + max(len(frame.guesses) for frame in frames), 2)
    width = 2 * _MARGIN + n_panels * _PANEL + (n_panels - 1) * _GAP
    legend = _legend_lines(way, width - 2 * _MARGIN)
    panels = sum(heights) + len(frames) * (_TITLE + _GAP)
    height = 2 * _MARGIN + panels + _RAMP + _LINE * len(legend)
    figure = Figure(figsize=(width, height))
    top = height - _MARGIN
    for frame, tall in zip(frames, heights, strict=True):
        titles = [(frame.name.replace("\\", "/").rpartition("/")[2], frame.answer)]
        titles += [(guess.name, _below(guess)) for guess in frame.guesses]
        for number, (first, second) in enumerate(titles):
            left = _MARGIN + number * (_PANEL + _GAP)
            words = _axes(figure, (left, top - _TITLE, _PANEL, _TITLE))
            _write(words, first, 0.72, weight="bold", size=_NAME_PT)
            _write(words, second, 0.3, colour=PRIOR, size=_BELOW_PT)
            axes = _axes(figure, (left, top - _TITLE - tall, _PANEL, tall))
            axes.set_anchor("NW")
            _draw_panel(axes, frame.pixels, frame.guesses[number - 1] if number else None)
        top -= _TITLE + tall + _GAP
    _draw_legend(figure, legend)
    return figure


def _below(guess: ExplainedGuess) -> str:
    nowhere = "" if guess.heat.any() else ": no part speaks more for it than another"
    return f"probability {probability_in_words(guess.probability)}{nowhere}"


def _draw_panel(axes: Axes, pixels: Pixels, guess: ExplainedGuess | None) -> None:
    """Draw the frame as it is, or a map over the frame without its colours."""
    if guess is None:
        axes.imshow(pixels)
        return
    height, width = pixels.shape[:2]
    axes.imshow(_faded(pixels), cmap="gray", vmin=0, vmax=1)
    if not guess.heat.any():
        return
    colours = overlay(guess.heat, height, width)
    axes.imshow(colours)
    # Who sees no colours sees the line: within it a part says half as much as the largest.
    opacity = colours[..., 3] / 0.75
    axes.contour(opacity, levels=[0.5], colors="black", linewidths=2.6, alpha=0.7)
    axes.contour(opacity, levels=[0.5], colors="white", linewidths=1.2)


def _faded(pixels: Pixels) -> Float64s:
    grey: Float64s = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114]) / 255
    return _DARKEST + (_BRIGHTEST - _DARKEST) * grey


def _legend_lines(way: MapWay, width: float) -> list[tuple[str, str]]:
    """Return the lines below the panels, each with its colour; `width` in inches."""
    letters = int(width / (_LETTER * _BELOW_PT))
    return [
        (line, colour)
        for text, colour in ((SCALE, INK), (WAYS[way], INK), (CAUTION, PRIOR))
        for line in textwrap.wrap(text, letters)
    ]


def _draw_legend(figure: Figure, lines: Sequence[tuple[str, str]]) -> None:
    width = float(figure.get_size_inches()[0]) - 2 * _MARGIN
    tall = _RAMP + _LINE * len(lines)
    axes = _axes(figure, (_MARGIN, _MARGIN, width, tall))
    ramp = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8), (2, 64))
    extent = (0.0, 1.6, tall - 0.16, tall)
    axes.imshow(np.full((2, 64, 3), 0.45), extent=extent, aspect="auto")
    axes.imshow(overlay(ramp, 2, 64), extent=extent, aspect="auto")
    axes.set_xlim(0, width)
    axes.set_ylim(0, tall)
    for number, (text, colour) in enumerate(lines):
        up = tall - _RAMP - (number + 0.5) * _LINE
        _write(axes, text, up, colour=colour, size=_BELOW_PT, most=len(text))


def _axes(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Return axes at left, bottom, width and height in inches."""
    wide, tall = figure.get_size_inches()
    left, bottom, width, height = place
    axes = figure.add_axes((left / wide, bottom / tall, width / wide, height / tall))
    axes.set_axis_off()
    return axes


def _write(
    axes: Axes,
    text: str,
    up: float,
    *,
    size: float,
    left: float = 0.0,
    colour: str = INK,
    weight: str = "normal",
    most: int | None = None,
) -> None:
    if text:
        letters = int(_PANEL / (_LETTER * size)) if most is None else most
        shown = shown_name(text, most=letters)
        axes.text(left, up, shown, color=colour, weight=weight, fontsize=size, va="center")
