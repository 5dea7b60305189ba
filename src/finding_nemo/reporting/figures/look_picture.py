"""One image and what bundles say of it as a picture: the frame at the left, bars at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.reporting.figures.palette import BAD, FAINT, GOOD, INK, MODEL, PRIOR
from finding_nemo.reporting.figures.svg import names_as_text, save_png, shown_name, to_svg
from finding_nemo.reporting.guess_rows import BundleGuesses, ImageGuesses, probability_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All in inches.
_FRAME_WIDTH, _BLOCK_WIDTH, _MARGIN, _GAP = 6.0, 4.4, 0.2, 0.35
_HEADING, _CAPTION, _ROW, _LINE = 0.42, 0.34, 0.46, 0.27
_NAME_PT, _TITLE_PT, _BELOW_PT, _INSET_PT = 11.0, 13.0, 10.0, 9.0
# A letter is about so wide, in inches a point of its size.
_LETTER = 0.0082
_MOST_TALL = 1.4  # a frame upright is drawn no taller than this part of its width
_INSET = 0.34


@dataclass(frozen=True, slots=True)
class Framed:
    """One row of the picture.

    Attributes:
        guesses: What bundles say.
        pixels: The frame, uint8 (height, width, 3).
    """

    guesses: ImageGuesses
    pixels: Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSize:
    """How large one row of the picture is, in inches.

    Attributes:
        height: Of the row.
        frame_height: Of the frame in it.
    """

    height: float
    frame_height: float


def row_size(pixels: tuple[int, int], *, n_guesses: int, n_below: int, has_truth: bool) -> RowSize:
    """Return the size of a row: as tall as its frame or its guesses, whichever needs more.

    Args:
        pixels: Height and width of the frame.
        n_guesses: Of the bundle with the most.
        n_below: Lines below them, of the bundle with the most.
        has_truth: Whether a line below the frame says what it holds.
    """
    height, width = pixels
    frame = _FRAME_WIDTH * min(height / width, _MOST_TALL)
    captions = _CAPTION * (1 + has_truth)
    words = _HEADING + _ROW * n_guesses + _LINE * n_below
    return RowSize(height=max(frame + captions, words) + _MARGIN, frame_height=frame)


def overlay(heat: npt.NDArray[np.uint8], height: int, width: int) -> npt.NDArray[np.float32]:
    """Return a map over a frame as colours with their own opacity, (height, width, 4) in [0, 1].

    Where the map is 0 the frame is seen as it is. Between the middles of patches it is
    interpolated: the grid's edges are no edges of the animal.
    """
    smooth = _stretched(heat.astype(np.float32) / np.float32(255), height, width)
    rgba = np.empty((height, width, 4), dtype=np.float32)
    rgba[..., 0] = 1.0
    rgba[..., 1] = 0.85 - 0.6 * smooth
    rgba[..., 2] = 0.1
    rgba[..., 3] = 0.75 * smooth
    return rgba


def _stretched(values: npt.NDArray[np.float32], height: int, width: int) -> npt.NDArray[np.float32]:
    """Return values of patches at each pixel, linear between the middles of patches."""
    rows, columns = values.shape
    y = np.clip((np.arange(height) + 0.5) * rows / height - 0.5, 0, rows - 1)
    x = np.clip((np.arange(width) + 0.5) * columns / width - 0.5, 0, columns - 1)
    upper, left = np.floor(y).astype(int), np.floor(x).astype(int)
    lower, right = np.minimum(upper + 1, rows - 1), np.minimum(left + 1, columns - 1)
    down, along = (y - upper)[:, None], (x - left)[None, :]
    above = values[upper][:, left] * (1 - along) + values[upper][:, right] * along
    below = values[lower][:, left] * (1 - along) + values[lower][:, right] * along
    return np.asarray(above * (1 - down) + below * down, dtype=np.float32)


def draw_look(rows: Sequence[Framed], path: Path, *, with_heat: bool = True) -> None:
    """Write the picture of some images, one below the other, as PNG or SVG by the name's suffix.

    Args:
        rows: One an image, each with the same bundles.
        path: The file.
        with_heat: Whether a small copy of the frame shows where the first guess is seen.
    """
    with atomic_write(path) as partial, names_as_text():
        figure = _figure(rows, with_heat=with_heat)
        if path.suffix.lower() == ".svg":
            declared = f'<?xml version="1.0" encoding="utf-8"?>\n{to_svg(figure)}'
            partial.write_text(declared, encoding="utf-8")
        else:
            with partial.open("wb") as file:
                save_png(figure, file)


def _figure(rows: Sequence[Framed], *, with_heat: bool) -> Figure:
    from matplotlib.figure import Figure

    sizes = [
        row_size(
            row.pixels.shape[:2],
            n_guesses=max(len(block.guesses) for block in row.guesses.bundles),
            n_below=max(len(_lines_below(block)) for block in row.guesses.bundles),
            has_truth=row.guesses.truth is not None,
        )
        for row in rows
    ]
    n_blocks = max(len(row.guesses.bundles) for row in rows)
    width = 2 * _MARGIN + _FRAME_WIDTH + n_blocks * (_GAP + _BLOCK_WIDTH)
    height = sum(size.height for size in sizes) + _MARGIN
    figure = Figure(figsize=(width, height))
    top = height - _MARGIN
    for row, size in zip(rows, sizes, strict=True):
        _draw_frame(figure, row, size, top, with_heat=with_heat)
        for number, block in enumerate(row.guesses.bundles):
            left = _MARGIN + _FRAME_WIDTH + _GAP + number * (_GAP + _BLOCK_WIDTH)
            tall = size.height - _MARGIN
            _draw_block(_axes(figure, left, top - tall, _BLOCK_WIDTH, tall), block, tall)
        top -= size.height
    return figure


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes at a position in inches."""
    whole_width, whole_height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    )
    axes.set_axis_off()
    return axes


def _draw_frame(figure: Figure, row: Framed, size: RowSize, top: float, *, with_heat: bool) -> None:
    bottom = top - size.frame_height
    axes = _axes(figure, _MARGIN, bottom, _FRAME_WIDTH, size.frame_height)
    axes.imshow(row.pixels)
    axes.set_anchor("NW")
    name = row.guesses.path.replace("\\", "/").rpartition("/")[2]
    lines = [(shown_name(name, most=_letters(_FRAME_WIDTH)), INK, "normal")]
    if row.guesses.truth is not None:
        truth = ", ".join(row.guesses.truth) or "nothing of the categories"
        lines.append((shown_name(f"truth: {truth}", most=_letters(_FRAME_WIDTH)), GOOD, "bold"))
    below = _axes(figure, _MARGIN, bottom - _CAPTION * len(lines), _FRAME_WIDTH, _CAPTION)
    for number, (text, colour, weight) in enumerate(lines):
        _write(below, text, (0, (len(lines) - 1 - number) + 0.35), colour, weight=weight)
    heated = next((block for block in row.guesses.bundles if block.heat is not None), None)
    if with_heat and heated is not None and heated.heat is not None:
        whose = f" ({heated.bundle})" if len(row.guesses.bundles) > 1 else ""
        _draw_inset(axes, row.pixels, heated.heat, f"{heated.guesses[0].name}{whose}")


def _draw_inset(axes: Axes, pixels: Pixels, heat: npt.NDArray[np.uint8], name: str) -> None:
    """Draw a small copy with the map into the corner that the map says least of."""
    upper, left = _quiet_corner(heat)
    inset = axes.inset_axes(
        (
            0.012 if left else 1 - _INSET - 0.012,
            1 - _INSET - 0.012 if upper else 0.012,
            _INSET,
            _INSET,
        )
    )
    inset.imshow(pixels)
    inset.imshow(overlay(heat, *pixels.shape[:2]))
    inset.set_xticks([])
    inset.set_yticks([])
    for spine in inset.spines.values():
        spine.set_color("white")
        spine.set_linewidth(1.5)
    inset.text(
        0.03,
        0.05,
        shown_name(name, most=_letters(_INSET * _FRAME_WIDTH, _INSET_PT)),
        transform=inset.transAxes,
        fontsize=_INSET_PT,
        color="white",
        bbox={"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 2.5},
    )


def _quiet_corner(heat: npt.NDArray[np.uint8]) -> tuple[bool, bool]:
    """Return whether the corner is an upper one, and whether a left one."""
    rows, columns = (max(size * 2 // 5, 1) for size in heat.shape)
    corners = {
        (upper, left): int(
            heat[
                slice(0, rows) if upper else slice(-rows, None),
                slice(0, columns) if left else slice(-columns, None),
            ].max()
        )
        for upper in (False, True)
        for left in (True, False)
    }
    return min(corners, key=lambda corner: corners[corner])


def _draw_block(axes: Axes, block: BundleGuesses, tall: float) -> None:
    """Draw what one bundle says; lengths up and down are inches from the top."""
    axes.set_xlim(0, _BLOCK_WIDTH)
    axes.set_ylim(tall, 0)
    title = shown_name(block.bundle, most=_letters(_BLOCK_WIDTH, _TITLE_PT))
    _write(axes, title, (0, 0.18), INK, weight="bold", size=_TITLE_PT)
    letters = _letters(_BLOCK_WIDTH)
    down = _HEADING
    for guess in block.guesses:
        colour = GOOD if guess.is_true else INK
        weight = "bold" if guess.is_true else "normal"
        name = shown_name(guess.name, most=letters - 9)
        _write(axes, name, (0, down + 0.14), colour, weight=weight)
        probability = probability_in_words(guess.probability)
        _write(axes, probability, (_BLOCK_WIDTH, down + 0.14), colour, weight=weight, right=True)
        middle = down + 0.32
        axes.barh(middle, _BLOCK_WIDTH, height=0.1, color=FAINT)
        share = min(max(guess.probability, 0.0), 1.0)
        bar = GOOD if guess.is_true else MODEL
        axes.barh(middle, _BLOCK_WIDTH * share, height=0.1, color=bar)
        down += _ROW
    for text, colour in _lines_below(block):
        line = shown_name(text, most=_letters(_BLOCK_WIDTH, _BELOW_PT))
        _write(axes, line, (0, down + 0.14), colour, size=_BELOW_PT)
        down += _LINE


def _lines_below(block: BundleGuesses) -> list[tuple[str, str]]:
    """Return the lines below the guesses of a bundle, each with its colour."""
    lines = []
    if block.missed:
        lines.append((f"also there: {', '.join(block.missed)}", BAD))
    if block.answer:
        lines.append((f"answer: {block.answer}", PRIOR))
    if block.novelty:
        lines.append((f"novelty: {block.novelty}", PRIOR))
    return lines


def _letters(width_in: float, size_pt: float = _NAME_PT) -> int:
    """Return how many letters fit a width."""
    return int(width_in / (_LETTER * size_pt))


def _write(
    axes: Axes,
    text: str,
    position: tuple[float, float],
    colour: str,
    *,
    weight: str = "normal",
    size: float = _NAME_PT,
    right: bool = False,
) -> None:
    side = "right" if right else "left"
    axes.text(*position, text, color=colour, weight=weight, fontsize=size, ha=side, va="center")
