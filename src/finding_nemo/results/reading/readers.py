"""Predictions files back into memory, whatever their format."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.names.registries import load
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.wrong_argument import check_path
from finding_nemo.results.prediction_formats import FORMATS, readable_format
from finding_nemo.results.reading.answer_columns import answer_columns
from finding_nemo.results.reading.assessment_columns import assessment_columns
from finding_nemo.results.reading.text_reader import ReadColumns
from finding_nemo.results.schema import SCHEMA_VERSION, PredictionTable

# float32 of a sum that should be 1 may be this much more.
_ROUNDING = 1e-5


def read_predictions(path: Path | str, *, verify: bool = True) -> PredictionTable:
    """Read a predictions file in any of `FORMATS` that can be read, by its suffix.

    Args:
        path: The file.
        verify: Whether a Parquet file is checked against the hashes that it tells of its rows and
            metadata: about 40 ms for 10,000 rows of 290 categories. A CSV or JSONL file may have
            been saved by another program, so it is not.

    Returns:
        The table: ids, guesses, probabilities and what is known of each image.

    Raises:
        ArgumentError: If `path` is no path.
        PredictionsError: If it is missing, of another format or schema version, damaged,
            names an image twice, or holds what no prediction can be; with the line or row.

    Example:
        >>> table = finding_nemo.read_predictions("dive.parquet")  # doctest: +SKIP
        >>> finding_nemo.evaluate(table, dataset)  # doctest: +SKIP
    """
    check_path(path, "read_predictions()", "the path of a predictions file")
    path = Path(path)
    if not os.path.exists(path):
        raise PredictionsError(f"The predictions file {path} does not exist.")
    chosen = readable_format(path)
    if chosen is None or chosen.reader is None:
        *others, last = (s for each in FORMATS.values() if each.reader for s in each.suffixes)
        raise PredictionsError(
            f"{path} has the suffix {path.suffix!r}; predictions are {', '.join(others)} or {last}."
        )
    found: ReadColumns = load(chosen.reader)(path, verify=verify)
    return checked_table(found, path)


def checked_table(found: ReadColumns, path: Path) -> PredictionTable:
    """Return columns as a table; `path` is named where something is wrong.

    Raises:
        PredictionsError: If they name an image twice, or hold what no prediction can be.
    """
    _check_version(found.metadata, path)
    table = _table(found, path)
    _check_ids(table, found.positions, path)
    _check_guesses(table, found.positions, path)
    _check_vector(table, found.positions, path)
    return table


def _check_version(metadata: Mapping[str, Any], path: Path) -> None:
    version = metadata.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise PredictionsError(
            f"{path} has schema version {version}; this program reads {SCHEMA_VERSION}. "
            "Predict again with this version."
        )


def _table(found: ReadColumns, path: Path) -> PredictionTable:
    columns, metadata = found.columns, found.metadata
    novelty = [np.nan if value is None else value for value in columns["novelty"]]
    try:
        assessment = assessment_columns(columns, metadata)
    except ValueError as error:
        raise PredictionsError(f"{path} cannot be read as predictions: {error}.") from None
    return PredictionTable(
        image_ids=tuple(columns["image_id"]),
        paths=tuple(path or "" for path in columns["path"]),
        widths=tuple(columns["width"]),
        heights=tuple(columns["height"]),
        failures=tuple(reason or None for reason in columns["failure"]),
        ranked_ids=tuple(tuple(ids or ()) for ids in columns["categories"]),
        ranked_probabilities=tuple(tuple(values or ()) for values in columns["probabilities"]),
        novelty=np.asarray(novelty, dtype=np.float64),
        vector=found.vector,
        category_ids=tuple(int(entry["category_id"]) for entry in metadata.get("categories", ())),
        metadata=metadata,
        times_s=_if_any(columns.get("time_s")),
        assessment=assessment,
        answers=answer_columns(columns),
        dives=_if_any(columns.get("dive")),
        captured=_if_any(columns.get("captured")),
    )


def _if_any(values: Sequence[Any] | None) -> tuple[Any, ...]:
    is_any = values is not None and any(value is not None for value in values)
    return tuple(values) if values is not None and is_any else ()


def _check_ids(table: PredictionTable, positions: Sequence[str], path: Path) -> None:
    for image_id, position in zip(table.image_ids, positions, strict=True):
        if not image_id:
            raise PredictionsError(f"{path}, {position}: image_id must not be empty.")
    if len(set(table.image_ids)) != len(table):
        twice = next(name for name, count in Counter(table.image_ids).items() if count > 1)
        raise PredictionsError(
            f"{path} names an image twice ({quoted(twice)}); each must have one row."
        )


def _check_guesses(table: PredictionTable, positions: Sequence[str], path: Path) -> None:
    """Check what every row must be: as many probabilities as guesses, in [0, 1], best first.

    Whether the best is the most probable one, the metadata tell.
    """
    lengths = [len(ids) for ids in table.ranked_ids]
    rows = zip(lengths, table.ranked_probabilities, table.ranked_ids, table.failures, strict=True)
    for row, (length, values, ids, failure) in enumerate(rows):
        fault = ""
        if len(values) != length:
            fault = f"{length} categories, but {len(values)} probabilities"
        elif len(set(ids)) != length:
            fault = "a category is guessed twice"
        elif failure is None and not length:
            fault = "no guess, and no failure that says why"
        elif failure is not None and length:
            fault = f"guesses, although it failed ({quoted(failure)})"
        if fault:
            raise PredictionsError(f"{path}, {positions[row]}: {fault}.")
    flat = np.fromiter(chain.from_iterable(table.ranked_probabilities), np.float64, sum(lengths))
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    in_order = _is_by_probability(table)
    rises = np.flatnonzero((np.diff(flat) > 0) & (np.diff(row_of) == 0) & in_order)
    outside = np.flatnonzero(~((flat >= -_ROUNDING) & (flat <= 1 + _ROUNDING)))
    for found, fault in (
        (outside, "must be numbers from 0 to 1"),
        (rises, "must be best first, none above the one before it"),
    ):
        if found.size:
            row = row_of[found[0]]
            shown = quoted(list(table.ranked_probabilities[row]))
            raise PredictionsError(f"{path}, {positions[row]}: probabilities {fault}, got {shown}.")
    if np.isinf(table.novelty).any():
        row = int(np.flatnonzero(np.isinf(table.novelty))[0])
        raise PredictionsError(f"{path}, {positions[row]}: novelty must be finite.")


def _is_by_probability(table: PredictionTable) -> bool:
    """Return whether guesses are in order of probability, as far as the file tells.

    One without metadata (a CSV whose provenance stayed behind) tells nothing.
    """
    return bool(table.metadata) and not table.metadata.get("ranking")


def _check_vector(table: PredictionTable, positions: Sequence[str], path: Path) -> None:
    if table.vector is None:
        return
    if table.category_ids and table.vector.shape[1] != len(table.category_ids):
        raise PredictionsError(
            f"{path}: {table.vector.shape[1]} probabilities a row, but its metadata list "
            f"{len(table.category_ids)} categories."
        )
    usable: npt.NDArray[np.bool_] = (table.vector >= -_ROUNDING) & (table.vector <= 1 + _ROUNDING)
    failed = np.array([failure is not None for failure in table.failures], dtype=np.bool_)
    wrong = np.flatnonzero(~failed & ~usable.all(axis=1))
    if wrong.size:
        raise PredictionsError(
            f"{path}, {positions[wrong[0]]}: vector must hold a number from 0 to 1 for each "
            "category."
        )
