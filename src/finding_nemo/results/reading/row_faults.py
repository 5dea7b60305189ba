"""What no row of a predictions file can be: each such row as the error that a reader stops with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.text.cells import quoted
from finding_nemo.results.schema import PredictionTable

# float32 of a sum that should be 1 may be this much more.
ROUNDING = 1e-5


def table_faults(
    table: PredictionTable, positions: Sequence[str], path: Path
) -> Iterator[PredictionsError]:
    """Yield what is wrong with rows: ids, guesses, probabilities, novelty, vectors.

    That an image has two rows, only who has seen all of them can say.

    Args:
        table: The rows.
        positions: Where each of them is.
        path: Their file.
    """
    for image_id, position in zip(table.image_ids, positions, strict=True):
        if not image_id:
            yield PredictionsError(f"{path}, {position}: image_id must not be empty.")
    yield from _faults_of_guesses(table, positions, path)
    yield from _faults_of_vectors(table, positions, path)


def _faults_of_guesses(
    table: PredictionTable, positions: Sequence[str], path: Path
) -> Iterator[PredictionsError]:
    """Yield rows without as many probabilities as guesses, in [0, 1], best first.

    Whether the best is the most probable one, the metadata tell.
    """
    for row, values in enumerate(table.ranked_probabilities):
        fault = _fault_of_lists(table.ranked_ids[row], len(values), table.failures[row])
        if fault:
            yield PredictionsError(f"{path}, {positions[row]}: {fault}.")
    counts = [len(values) for values in table.ranked_probabilities]
    flat = np.fromiter(chain.from_iterable(table.ranked_probabilities), np.float64, sum(counts))
    row_of = np.repeat(np.arange(len(counts)), counts)
    in_order = _is_by_probability(table)
    rises = np.flatnonzero((np.diff(flat) > 0) & (np.diff(row_of) == 0) & in_order)
    outside = np.flatnonzero(~((flat >= -ROUNDING) & (flat <= 1 + ROUNDING)))
    for found, fault in (
        (outside, "must be numbers from 0 to 1"),
        (rises, "must be best first, none above the one before it"),
    ):
        for row in np.unique(row_of[found]).tolist():
            shown = quoted(list(table.ranked_probabilities[row]))
            yield PredictionsError(f"{path}, {positions[row]}: probabilities {fault}, got {shown}.")
    for row in np.flatnonzero(np.isinf(table.novelty)).tolist():
        yield PredictionsError(f"{path}, {positions[row]}: novelty must be finite.")


def _fault_of_lists(ids: Sequence[int], n_probabilities: int, failure: str | None) -> str:
    if n_probabilities != len(ids):
        return f"{len(ids)} categories, but {n_probabilities} probabilities"
    if len(set(ids)) != len(ids):
        return "a category is guessed twice"
    if failure is None and not ids:
        return "no guess, and no failure that says why"
    if failure is not None and ids:
        return f"guesses, although it failed ({quoted(failure)})"
    return ""


def _is_by_probability(table: PredictionTable) -> bool:
    """Return whether guesses are in order of probability, as far as the file tells.

    One without metadata (a CSV whose provenance stayed behind) tells nothing.
    """
    return bool(table.metadata) and not table.metadata.get("ranking")


def _faults_of_vectors(
    table: PredictionTable, positions: Sequence[str], path: Path
) -> Iterator[PredictionsError]:
    if table.vector is None:
        return
    if table.category_ids and table.vector.shape[1] != len(table.category_ids):
        yield PredictionsError(
            f"{path}: {table.vector.shape[1]} probabilities a row, but its metadata list "
            f"{len(table.category_ids)} categories."
        )
    usable: npt.NDArray[np.bool_] = (table.vector >= -ROUNDING) & (table.vector <= 1 + ROUNDING)
    failed = np.array([failure is not None for failure in table.failures], dtype=np.bool_)
    for row in np.flatnonzero(~failed & ~usable.all(axis=1)).tolist():
        yield PredictionsError(
            f"{path}, {positions[row]}: vector must hold a number from 0 to 1 for each category."
        )
