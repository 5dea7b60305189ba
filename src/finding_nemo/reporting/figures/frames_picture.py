"""A few frames with their ranked guesses as one picture, as on the course study's slide."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.data.images.decode import decode_image
from finding_nemo.evaluation.evaluation_results import EvaluatedImage, Evaluation
from finding_nemo.reporting.figures.palette import BAD, GOOD, INK
from finding_nemo.reporting.figures.svg import names_as_text, save_png, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_N_GUESSES = 4
_LONGEST_LINE = 60
_WIDTH_IN, _FRAME_IN, _TEXT_IN = 4.4, 2.43, 1.35


def draw_frames(
    evaluation: Evaluation,
    categories: CategoryTable,
    path: Path,
    *,
    n_good: int = 2,
    n_bad: int = 1,
) -> None:
    """Write a picture of frames of different dives: those read best, then those missed most.

    Args:
        evaluation: Holds the judged images.
        categories: Names of the guesses.
        path: The PNG.
        n_good: How many frames that were read well, of many categories.
        n_bad: How many that were missed.
    """
    shown = _chosen(evaluation.images, n_good, n_bad)
    with atomic_write(path) as partial, partial.open("wb") as file, names_as_text():
        save_png(_drawn(shown, categories), file)


def _drawn(shown: Sequence[EvaluatedImage], categories: CategoryTable) -> Figure:
    from matplotlib.figure import Figure

    n = max(len(shown), 1)
    figure = Figure(figsize=(n * _WIDTH_IN, _FRAME_IN + _TEXT_IN))
    bottom, height = _TEXT_IN / (_FRAME_IN + _TEXT_IN), _FRAME_IN / (_FRAME_IN + _TEXT_IN)
    for position, image in enumerate(shown):
        axes = figure.add_axes((position / n + 0.005, bottom, 1 / n - 0.01, height), anchor="NW")
        _draw(axes, image, categories)
    return figure


def _chosen(images: Sequence[EvaluatedImage], n_good: int, n_bad: int) -> list[EvaluatedImage]:
    usable = [image for image in images if image.failure is None and image.true_ids]
    best = sorted(usable, key=lambda i: (-(i.average_precision * len(i.true_ids)), i.image_id))
    worst = sorted(usable, key=lambda i: (i.average_precision, i.image_id))
    chosen: list[EvaluatedImage] = []
    for ranked, wanted in ((best, n_good), (worst, n_bad)):
        fresh = (i for i in ranked if i.dive not in {c.dive for c in chosen})
        for image in fresh:
            if wanted == 0:
                break
            if image.dive not in {c.dive for c in chosen}:
                chosen.append(image)
                wanted -= 1
    return chosen


def _draw(axes: Axes, image: EvaluatedImage, categories: CategoryTable) -> None:
    guesses = list(zip(image.ranked_ids, image.probabilities, strict=False))[:_N_GUESSES]
    draw_frame(axes, _pixels(image), guess_lines(guesses, image.true_ids, categories))


@dataclass(frozen=True, slots=True)
class FrameLine:
    """One line of text under a frame."""

    text: str
    colour: str = INK
    is_bold: bool = False


def guess_lines(
    guesses: Sequence[tuple[int, float]],
    true_ids: Sequence[int] | None,
    categories: CategoryTable,
) -> list[FrameLine]:
    """Return a line a guess, those that are right in bold, and one for what was not guessed.

    Args:
        guesses: Category ids with their probabilities, best first.
        true_ids: What is in the frame; `None` where nobody knows.
        categories: Their names.
    """
    lines = []
    for number, probability in guesses:
        column = categories.column_of(number)
        is_hit = number in (true_ids or ())
        name = shown_name(f"{categories.supercategories[column]}: {categories.names[column]}")
        lines.append(FrameLine(f"{name}, {probability:.2f}", GOOD if is_hit else INK, is_hit))
    shown = {number for number, _ in guesses}
    missed = [categories.names[categories.column_of(n)] for n in true_ids or () if n not in shown]
    if missed:
        text = shown_name("also there: " + ", ".join(missed), most=_LONGEST_LINE)
        lines.append(FrameLine(text, BAD))
    return lines


def draw_frame(
    axes: Axes, pixels: npt.NDArray[np.uint8] | None, lines: Sequence[FrameLine]
) -> None:
    """Draw a frame with lines under it; `None` for one that cannot be shown."""
    if pixels is None:
        axes.text(0.5, 0.5, "not here", ha="center")
    else:
        axes.imshow(pixels)
    axes.set_axis_off()
    for number, line in enumerate(lines):
        _write(axes, number, line)


def _pixels(image: EvaluatedImage) -> npt.NDArray[np.uint8] | None:
    if image.is_outside or not os.path.isfile(image.path):
        return None
    try:
        return decode_image(Path(image.path)).pixels
    except ImageError:
        return None


def _write(axes: Axes, number: int, line: FrameLine) -> None:
    axes.annotate(
        line.text,
        (0, 0),
        xycoords="axes fraction",
        xytext=(0, -16 - 17 * number),
        textcoords="offset points",
        fontsize=10.5,
        color=line.colour,
        weight="bold" if line.is_bold else "normal",
    )
