"""What a value of a predictions file may be beyond what its readers need, by the column table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.plain_text import holds_control_characters
from finding_nemo.core.text.printable import printable
from finding_nemo.results.reading.row_faults import ROUNDING
from finding_nemo.results.reading.text_reader import ReadColumns
from finding_nemo.validating.format_columns import PREDICTIONS, FormatColumn

# Where, column and words.
ColumnFault = tuple[str, str, str]

# `probabilities` and `vector` are looked at where rows are read.
_READ_ALREADY = ("probabilities", "vector")
# Columns of Parquet that no reader of whole tables takes.
_NOT_READ = ("names", "method", "embedding", "maps")
# Of one probability, written twice.
_SAME = 1e-4


def faults_of_columns(found: ReadColumns, rows: pa.Table | None) -> Iterator[ColumnFault]:
    """Yield values out of range, lists of another length, and ids that no table has.

    Args:
        found: Some rows of a file, read.
        rows: The same rows as Parquet has them, with the columns that no reader takes.
    """
    columns = dict(found.columns)
    if rows is not None:
        extra = [name for name in _NOT_READ if name in rows.column_names]
        columns |= {name: rows.column(name).to_pylist() for name in extra}
    ids = {int(entry["category_id"]) for entry in found.metadata.get("categories", ())}
    for known in PREDICTIONS:
        values = columns.get(known.name)
        if values is None or known.name in _READ_ALREADY:
            continue
        for row, words in _faults_of_values(known, values, columns, ids):
            yield found.positions[row], known.name, words
    if "method" not in columns:
        yield from _other_probabilities(found)


def _faults_of_values(
    known: FormatColumn,
    values: Sequence[Any],
    columns: Mapping[str, Sequence[Any]],
    ids: set[int],
) -> Iterator[tuple[int, str]]:
    beside = columns.get(known.along, ()) if known.along else ()
    for row, value in enumerate(values):
        if value is None:
            continue
        if known.choices:
            if value not in known.choices:
                yield row, f"must be {' or '.join(known.choices)}, got {quoted(value)}."
        elif known.type.endswith(("whole", "number")):
            entries = value if isinstance(value, list) else [value]
            fault = _out_of_range(known, entries)
            unknown = [each for each in entries if known.holds_ids and ids and each not in ids]
            if fault:
                yield row, fault
            if unknown:
                yield row, f"{unknown[0]} is no id of the {len(ids)} categories of the metadata."
        if beside and isinstance(value, list) and beside[row] is not None:
            n_wanted = len(beside[row])
            if len(value) != n_wanted:
                yield row, f"{len(value)} values beside {n_wanted} of {known.along}."


def _out_of_range(known: FormatColumn, entries: Sequence[Any]) -> str:
    least = -math.inf if known.least is None else known.least - ROUNDING
    most = math.inf if known.most is None else known.most + ROUNDING
    for value in entries:
        if value is None:
            continue
        if known.name == "embedding" and not math.isfinite(value):
            return f"must be finite, got {value}."
        if not least <= value <= most and not math.isnan(value):
            return f"must be {known.range_in_words}, got {value:g}."
    return ""


def _other_probabilities(found: ReadColumns) -> Iterator[ColumnFault]:
    """Yield rows whose guesses have other probabilities than their vector says."""
    table = [int(entry["category_id"]) for entry in found.metadata.get("categories", ())]
    if found.vector is None or found.vector.shape[1] != len(table):
        return
    column_of = {number: column for column, number in enumerate(table)}
    for row, (ids, values) in enumerate(
        zip(found.columns["categories"], found.columns["probabilities"], strict=True)
    ):
        if not ids or not values or len(ids) != len(values) or not column_of.keys() >= set(ids):
            continue
        of_vector = found.vector[row, [column_of[number] for number in ids]]
        if (np.abs(of_vector - np.asarray(values, dtype=np.float64)) > _SAME).any():
            yield found.positions[row], "probabilities", "are not those of the row's vector."


def category_table_faults(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and words of what is wrong with the table of categories in a file's metadata."""
    entries = metadata.get("categories", [])
    counts = Counter(entry["category_id"] for entry in entries)
    for number, count in counts.items():
        if count > 1:
            yield "categories", f"the metadata list category id {number} {count} times."
    for entry in entries:
        for key in ("name", "supercategory"):
            text = entry.get(key)
            if isinstance(text, str) and holds_control_characters(text):
                words = (
                    f"the {key} {printable(text[:80])!r} in the metadata holds control characters."
                )
                yield "categories", words
        for key in ("n_images", "n_dives"):
            number = entry.get(key)
            if isinstance(number, int | float) and not number >= 0:
                yield (
                    "categories",
                    f"the metadata have {key} {number} of id {entry['category_id']}.",
                )
