"""Images with what is predicted of them, as a figure for notebooks and slides."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import ArgumentError, ImageError
from finding_nemo.core.records import Dataset, Prediction
from finding_nemo.core.text.wrong_argument import check_argument, wrong_argument
from finding_nemo.data.images.decode import decode_image
from finding_nemo.prediction.sources.memory_images import as_pixels
from finding_nemo.reporting.figures.frames_picture import FrameLine, draw_frame, guess_lines
from finding_nemo.reporting.figures.palette import BAD
from finding_nemo.reporting.figures.svg import names_as_text, shown_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 3
_WIDTH_IN, _FRAME_IN, _LINE_IN = 4.4, 2.6, 0.24
_LONGEST_TITLE = 52


def plot_predictions(
    predictions: Prediction | Iterable[Prediction],
    *,
    images: Sequence[object] | None = None,
    truth: Dataset | None = None,
    most: int = 6,
    guesses: int = 3,
) -> Figure:
    """Plot images with their most probable categories, those that are right in bold.

    Args:
        predictions: From `Predictor.predict`; of a stream only the first `most` are taken.
        images: The images themselves, one a prediction, where they were predicted from memory:
            arrays, PIL images or the bytes of files.
        truth: The data set that says what is there; without it nothing is marked right or wrong.
        most: How many images at most.
        guesses: How many categories of each.

    Returns:
        A matplotlib figure.

    Raises:
        ArgumentError: If something else is given, or no prediction.

    Example:
        >>> stream = predictor.predict("frames/")  # doctest: +SKIP
        >>> finding_nemo.plot_predictions(stream, truth=dataset)  # doctest: +SKIP
    """
    takes = "a prediction, predictions in a list, or a stream of them"
    given: object = [predictions] if isinstance(predictions, Prediction) else predictions
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise wrong_argument("plot_predictions()", takes, given)
    read = "a Dataset, from read_dataset()"
    check_argument(truth, (Dataset, type(None)), "plot_predictions(truth=...)", read)
    chosen = list(islice(given, most))
    for prediction in chosen:
        check_argument(prediction, Prediction, "plot_predictions()", takes)
    if not chosen:
        raise ArgumentError("plot_predictions() got no prediction.")
    return _drawn(chosen, images or (), truth, guesses)


def _drawn(
    chosen: Sequence[Prediction], images: Sequence[object], truth: Dataset | None, n_guesses: int
) -> Figure:
    from finding_nemo.reporting.figures.shown_figure import ShownFigure

    n_columns = min(_COLUMNS, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    text_in = _LINE_IN * (n_guesses + 2)
    height_in = _FRAME_IN + 0.3 + text_in
    with names_as_text():
        figure = ShownFigure(figsize=(n_columns * _WIDTH_IN, n_rows * height_in))
        for number, prediction in enumerate(chosen):
            row, column = divmod(number, n_columns)
            bottom = 1 - (row + 1) / n_rows + text_in / height_in / n_rows
            area = (
                column / n_columns + 0.01 / n_columns,
                bottom,
                0.98 / n_columns,
                _FRAME_IN / height_in / n_rows,
            )
            axes = figure.add_axes(area, anchor="SW")
            image = images[number] if number < len(images) else None
            lines = _lines_of(prediction, truth, n_guesses)
            draw_frame(axes, _pixels(prediction, image, truth), lines)
            title = shown_name(prediction.image_id, most=_LONGEST_TITLE)
            axes.set_title(title, loc="left", fontsize=9)
    return figure


def _lines_of(prediction: Prediction, truth: Dataset | None, n_guesses: int) -> list[FrameLine]:
    if prediction.failure is not None:
        return [FrameLine(shown_name(f"failed: {prediction.failure}", most=_LONGEST_TITLE), BAD)]
    top = prediction.top(n_guesses)
    record = truth.by_id.get(prediction.image_id) if truth is not None else None
    true_ids = None if record is None else record.category_ids
    known = {category.category_id: category for category, _ in top}
    if truth is not None:
        known |= {
            c.category_id: c for c in truth.categories.categories if c.category_id not in known
        }
    guesses = [(category.category_id, probability) for category, probability in top]
    return guess_lines(guesses, true_ids, CategoryTable(tuple(known.values())))


def _pixels(
    prediction: Prediction, image: object, truth: Dataset | None
) -> npt.NDArray[np.uint8] | None:
    if image is not None and not isinstance(image, str | os.PathLike):
        return as_pixels(image)
    record = truth.by_id.get(prediction.image_id) if truth is not None else None
    named = image or (record.path if record is not None else prediction.path)
    path = Path(str(named))
    if prediction.time_s is not None or not path.is_file():
        return None
    try:
        return decode_image(path).pixels
    except ImageError:
        return None
