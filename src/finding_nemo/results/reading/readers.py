"""Predictions files back into memory, whatever their format."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.names.registries import load
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.wrong_argument import check_path
from finding_nemo.results.prediction_formats import FORMATS, readable_format
from finding_nemo.results.reading.answer_columns import answer_columns
from finding_nemo.results.reading.assessment_columns import assessment_columns
from finding_nemo.results.reading.row_faults import table_faults
from finding_nemo.results.reading.text_reader import ReadColumns
from finding_nemo.results.schema import SCHEMA_VERSION, PredictionTable


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
    check_version(found.metadata, path)
    table = table_of(found, path)
    for fault in chain(_repeated_ids(table, path), table_faults(table, found.positions, path)):
        raise fault
    return table


def check_version(metadata: Mapping[str, Any], path: Path) -> None:
    """Check that a file has a schema version that this program reads.

    Raises:
        PredictionsError: If it has another.
    """
    version = metadata.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise PredictionsError(
            f"{path} has schema version {version}; this program reads {SCHEMA_VERSION}. "
            "Predict again with this version."
        )


def table_of(found: ReadColumns, path: Path) -> PredictionTable:
    """Return columns as a table, whose rows nobody has checked.

    Raises:
        PredictionsError: If rows differ in how many novelty scores they have.
    """
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


def _repeated_ids(table: PredictionTable, path: Path) -> Iterator[PredictionsError]:
    if len(set(table.image_ids)) != len(table):
        twice = next(name for name, count in Counter(table.image_ids).items() if count > 1)
        yield PredictionsError(
            f"{path} names an image twice ({quoted(twice)}); each must have one row."
        )
