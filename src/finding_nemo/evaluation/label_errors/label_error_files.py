"""Suspect labels as a table, as JSON, and as a predictions file that `review` opens."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.evaluation.label_errors.find_label_errors import LabelErrors
from finding_nemo.results.file_metadata import metadata_of, open_parquet
from finding_nemo.results.summary import PredictionSummary
from finding_nemo.results.writers import write_tables

COLUMNS = (
    "image", "dive", "kind", "rank", "label", "suggestion", "why", "likely_error", "score",
    "other_score", "compare_with", "label_id",
)  # fmt: skip
_DIGITS = 4
# What a file says of all its rows, which some of them cannot say.
_OF_ALL_ROWS = ("content_sha256", "domain_check")


def write_label_table(found: LabelErrors, path: Path) -> None:
    """Write one line a suspect label, and two a contradiction (.csv).

    Raises:
        OutputError: If it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = TableWriter(text)
    writer.write(COLUMNS)
    for label in (*found.wrong, *found.missing):
        other = "" if label.other_score is None else round(label.other_score, _DIGITS)
        writer.write(
            (
                label.image_id,
                label.dive,
                label.kind,
                label.rank,
                label.category,
                label.suggestion,
                label.why,
                "yes" if label.is_likely else "no",
                round(label.score, _DIGITS),
                other,
                label.compare_with,
                label.category_id,
            )
        )
    for rank, pair in enumerate(found.contradictions, start=1):
        for side in (0, 1):
            others = ", ".join(pair.names[1 - side])
            why = f"looks like {pair.image_ids[1 - side]}, which has {others}"
            names = "; ".join(pair.names[side])
            shown = (pair.image_ids[side], pair.dives[side], "contradiction", rank, names)
            rest = ("", "", pair.image_ids[1 - side], "")
            writer.write((*shown, "", f"{why} ({pair.likeness})", *rest))
    write_text(path, text.getvalue())


def write_label_json(found: LabelErrors, path: Path) -> None:
    """Write all that was found as one JSON object.

    Raises:
        OutputError: If it cannot be written.
    """
    content = asdict(found) | {
        "n_likely_wrong": found.n_likely_wrong,
        "n_likely_missing": found.n_likely_missing,
    }
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def frames_to_review(found: LabelErrors) -> tuple[str, ...]:
    """Return the frames with suspect labels: wrong and missing by turns, then contradictions."""
    ranked = sorted((*found.wrong, *found.missing), key=lambda label: label.rank)
    ids = [label.image_id for label in ranked]
    ids += [image_id for pair in found.contradictions for image_id in pair.image_ids]
    return tuple(dict.fromkeys(ids))


def write_review_file(predictions: Sequence[Path], image_ids: Sequence[str], path: Path) -> int:
    """Write the predictions of some images, in their order, and return how many there are.

    `finding-nemo review` opens it and lists them in this order.

    Args:
        predictions: Files with the same columns; what the first says of its bundle is taken.
        image_ids: The images wanted; those that no file has are left out.
        path: The file (Parquet).

    Raises:
        PredictionsError: If a file is damaged.
        OutputError: If it cannot be written.
    """
    position = {image_id: number for number, image_id in enumerate(image_ids)}
    wanted = pa.array(list(position), pa.string())
    parts = []
    for source in predictions:
        file = open_parquet(source)
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group).replace_schema_metadata(None)
            parts.append(rows.filter(pa.compute.is_in(rows.column("image_id"), wanted)))
    table = pa.concat_tables(parts).combine_chunks()
    order = sorted(range(len(table)), key=lambda row: position[table["image_id"][row].as_py()])
    table = table.take(pa.array(order, pa.int64()))
    first = metadata_of(open_parquet(predictions[0]), predictions[0])
    kept = {name: value for name, value in first.items() if name not in _OF_ALL_ROWS}
    summary = PredictionSummary()
    return write_tables(
        summary.watched([table], table.schema),
        path,
        schema=table.schema,
        metadata=lambda: (
            kept
            | {
                "n_images": summary.n_images,
                "failures": dict(summary.failures),
                "content_sha256": summary.content_sha256,
            }
        ),
        fallback_ids=(),
        overwrite=True,
    )
