"""Adapted predictions into a file of the same form, with how each row came about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.adaptation.files.adapted_answers import answer_frames, answer_seen
from finding_nemo.core.arrays import Bools, Float32s, Ints
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.results.file_metadata import open_parquet
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.prediction_formats import Format
from finding_nemo.results.schema import TOP_K
from finding_nemo.results.summary import PredictionSummary
from finding_nemo.results.writers import write_tables
from finding_nemo.uncertainty.rollup import roll_up

METHOD = "method"
REVIEWED, ADAPTED, BASE, FAILED = "reviewed", "adapted", "base", "failed"
# Named from this probability on, and left out of the set up to this share of true categories,
# where the file does not say what was wanted.
_PRECISION = 0.9
_SET_RISK = 0.1
# As `predict` says it.
NOTHING = "nothing reaches the wanted precision"
# What an adapted row no longer has: ranks and maps belong to the guesses of before.
_DROPPED = ("look_first", "maps")
_ROWS_AT_A_TIME = 2048
_ANSWER_COLUMNS = ("answer", "answer_level", "confidence", "answer_probability", "why")


@dataclass(frozen=True, kw_only=True)
class AdaptedRows:
    """What is known of each row of a predictions file after the reviews.

    Attributes:
        probabilities: float32, shape (frames, categories).
        methods: How each row came about, `REVIEWED`, `ADAPTED`, `BASE` or `FAILED`.
        present: What a person saw, same shape; used in rows that are reviewed.
        categories: The category table with its evidence, in column order.
        precision: Share of named categories that should be right.
        set_risk: Share of frames whose set may miss a category.
    """

    probabilities: Float32s
    methods: Sequence[str]
    present: Bools
    categories: Sequence[Mapping[str, Any]]
    precision: float = _PRECISION
    set_risk: float = _SET_RISK


def write_adapted(
    source: Path,
    rows: AdaptedRows,
    out: Path,
    *,
    metadata: Callable[[PredictionSummary], Mapping[str, Any]],
    file_format: Format | None = None,
    overwrite: bool = False,
) -> PredictionSummary:
    """Write the rows of `source` with adapted probabilities and what follows from them.

    Args:
        source: The predictions file (Parquet).
        rows: Of each of its rows.
        out: The file to write.
        metadata: Called at the end with what was written; returns JSON-ready values.
        file_format: A name of `FORMATS`; by default what the suffix of `out` says.
        overwrite: Whether an existing file may be replaced.

    Raises:
        OutputError: If `out` cannot be written.
    """
    schema = adapted_schema(open_parquet(source).schema_arrow, len(rows.categories))
    summary = PredictionSummary()
    write_tables(
        summary.watched(_tables(source, rows, schema), schema),
        out,
        schema=schema,
        metadata=lambda: metadata(summary),
        fallback_ids=most_frequent_first(rows.categories),
        file_format=file_format,
        overwrite=overwrite,
    )
    return summary


def adapted_schema(schema: pa.Schema, n_categories: int) -> pa.Schema:
    """Return the schema of an adapted file: that of the predictions, and `method`."""
    fields = [field for field in schema.remove_metadata() if field.name != METHOD]
    wide = pa.field("vector", pa.list_(pa.float32(), n_categories))
    fields = [wide if field.name == "vector" else field for field in fields]
    return pa.schema([*fields, pa.field(METHOD, pa.string())])


def _tables(source: Path, rows: AdaptedRows, schema: pa.Schema) -> Iterator[pa.Table]:
    start = 0
    for batch in open_parquet(source).iter_batches(_ROWS_AT_A_TIME):
        table = pa.Table.from_batches([batch])
        part = np.arange(start, start + len(table))
        start += len(table)
        changed = _changed_columns(rows, part, table)
        arrays = [
            changed[field.name]
            if field.name in changed
            else table.column(field.name).combine_chunks().cast(field.type)
            for field in schema
        ]
        yield pa.Table.from_arrays(arrays, schema=schema)


def _changed_columns(rows: AdaptedRows, part: Ints, table: pa.Table) -> dict[str, pa.Array]:
    methods = [rows.methods[row] for row in part]
    at = [at for at, method in enumerate(methods) if method in (REVIEWED, ADAPTED)]
    values = _values(rows, part[at])
    found: dict[str, pa.Array] = {METHOD: pa.array(methods, type=pa.string())}
    for name in values:
        if name in table.column_names:
            held = table.column(name).to_pylist()
            for position, value in zip(at, values[name], strict=True):
                held[position] = value
            found[name] = pa.array(held, type=table.schema.field(name).type)
    if "vector" in table.column_names:
        missing = pa.array(np.array(methods) == FAILED) if FAILED in methods else None
        flat = rows.probabilities[part].reshape(-1)
        width = rows.probabilities.shape[1]
        found["vector"] = pa.FixedSizeListArray.from_arrays(flat, width, mask=missing)
    return found


def _values(rows: AdaptedRows, chosen: Ints) -> dict[str, list[Any]]:
    """Return what follows from the probabilities of some rows, by column."""
    probabilities = rows.probabilities[chosen]
    if not chosen.size:
        return {}
    best = rank_columns(probabilities, k=TOP_K)
    ids = np.array([int(entry["category_id"]) for entry in rows.categories], dtype=np.int32)
    groups = [str(entry.get("supercategory", "none")) for entry in rows.categories]
    names, of_groups = roll_up(probabilities, groups)
    texts = [str(entry.get("name", "")) for entry in rows.categories]
    reviewed = np.array([rows.methods[row] == REVIEWED for row in chosen], dtype=np.bool_)
    found: dict[str, list[Any]] = {
        "categories": [ids[row] for row in best],
        "names": [[texts[column] for column in row] for row in best.tolist()],
        **{name: [None] * len(chosen) for name in _DROPPED},
        **_answer_columns(rows, chosen, probabilities, reviewed),
        "probabilities": list(np.take_along_axis(probabilities, best, axis=1)),
        **{name: [] for name in ("present", "candidates")},
        **{name: [] for name in ("prediction", "prediction_probability", "prediction_source")},
        **_evidence(rows.categories, best),
    }
    for position, row in enumerate(chosen):
        is_reviewed = bool(reviewed[position])
        values = probabilities[position]
        order = np.argsort(-values, kind="stable")
        if is_reviewed:
            named = order[rows.present[row][order]]
            kept = named
        else:
            named = order[values[order] >= rows.precision]
            kept = order[: smallest_set(values[order], rows.set_risk)]
        found["present"].append(ids[named].tolist())
        found["candidates"].append(ids[kept].tolist())
        answer = _answer(rows, values, named, (names, of_groups[position]), is_reviewed=is_reviewed)
        for name, value in zip(
            ("prediction", "prediction_probability", "prediction_source"), answer, strict=True
        ):
            found[name].append(value)
    return found


def smallest_set(falling: Float32s, risk: float) -> int:
    """Return how many of the best categories to keep so that the rest holds at most `risk` in all.

    What is left out is expected to hold so many true categories, which is at least the probability
    that it holds one.

    Args:
        falling: Calibrated probabilities, best first.
        risk: The most that may be expected to be missed, in [0, 1].
    """
    left_out = np.concatenate([np.cumsum(falling[::-1].astype(np.float64))[::-1], [0.0]])
    return int(np.argmax(left_out <= risk))


def _answer(
    rows: AdaptedRows,
    values: Float32s,
    named: Ints,
    groups: tuple[Sequence[str], np.ndarray[Any, np.dtype[np.float64]]],
    *,
    is_reviewed: bool,
) -> tuple[str, float | None, str]:
    """Return what is named, its probability, and why that and nothing finer."""
    if named.size:
        best = int(named[0])
        return str(rows.categories[best].get("name", "")), float(values[best]), "category"
    if is_reviewed:
        return "", None, NOTHING
    names, of_groups = groups
    group = int(np.argmax(of_groups))
    if of_groups[group] >= rows.precision:
        why = "supercategory: none of its categories reaches the wanted precision"
        return names[group], float(of_groups[group]), why
    return "", None, NOTHING


def _answer_columns(
    rows: AdaptedRows, chosen: Ints, probabilities: Float32s, is_reviewed: Bools
) -> dict[str, list[Any]]:
    """Return the one answer to each row, with its level, word, probability and reason."""
    found: dict[str, list[Any]] = {name: [None] * len(chosen) for name in _ANSWER_COLUMNS}
    for at, answers in (
        (~is_reviewed, answer_frames(probabilities[~is_reviewed], rows.categories)),
        (
            is_reviewed,
            answer_seen(
                rows.present[chosen[is_reviewed]], probabilities[is_reviewed], rows.categories
            ),
        ),
    ):
        chances = [None if np.isnan(p) else float(p) for p in answers.probabilities]
        values: tuple[Sequence[Any], ...] = (
            answers.texts,
            answers.levels,
            answers.confidences,
            chances,
            answers.reasons,
        )
        for name, column in zip(_ANSWER_COLUMNS, values, strict=True):
            for position, value in zip(np.flatnonzero(at).tolist(), column, strict=True):
                found[name][position] = value
    return found


def _evidence(categories: Sequence[Mapping[str, Any]], best: Ints) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for column, key in (
        ("evidence_images", "n_images"),
        ("evidence_dives", "n_dives"),
        ("evidence_ap", "validation_ap"),
    ):
        known = [entry.get(key) for entry in categories]
        found[column] = [[known[category] for category in row] for row in best.tolist()]
    return found
