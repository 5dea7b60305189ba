"""Rows and files of predictions, written by hand for the page of a dive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.results.file_metadata import to_file_metadata

_DIVE_CATEGORIES = (
    {"category_id": 1, "name": "crab", "supercategory": "Crustacea", "n_images": 40, "n_dives": 6},
    {"category_id": 2, "name": "eel", "supercategory": "Fish", "n_images": 12, "n_dives": 3},
    {"category_id": 7, "name": "squid", "supercategory": "Mollusca", "n_images": 2, "n_dives": 1},
)


_DIVE_TYPES = {
    "image_id": pa.string(),
    "path": pa.string(),
    "time_s": pa.float64(),
    "width": pa.int32(),
    "height": pa.int32(),
    "failure": pa.string(),
    "categories": pa.list_(pa.int32()),
    "probabilities": pa.list_(pa.float32()),
    "novelty": pa.float64(),
    "unusualness": pa.float64(),
    "novelty_scores": pa.list_(pa.float32()),
    "present": pa.list_(pa.int32()),
    "candidates": pa.list_(pa.int32()),
    "prediction": pa.string(),
    "prediction_source": pa.string(),
    "brightness": pa.float32(),
    "answer": pa.string(),
    "answer_level": pa.string(),
    "answer_probability": pa.float32(),
    "confidence": pa.string(),
    "why": pa.string(),
    "dive": pa.string(),
    "captured": pa.timestamp("us"),
    "look_first": pa.int32(),
    "names": pa.list_(pa.string()),
    "maps": pa.list_(pa.uint8()),
}


def dive_row(number: int, **values: Any) -> dict[str, Any]:
    """Return a row of a predictions file: by default a crab with 0.8, or what `values` say."""
    row = {
        "image_id": f"f{number}",
        "path": f"f{number}.png",
        "width": 64,
        "height": 48,
        "categories": [1, 2, 7],
        "probabilities": [0.8, 0.3, 0.1],
        "novelty": 1.0,
        "unusualness": 0.5,
        "novelty_scores": [1.0],
        "present": [],
        "candidates": [1],
        "prediction": "",
        "prediction_source": "",
        "brightness": 0.5,
        **values,
    }
    if row.get("failure"):
        row |= dict.fromkeys(
            ("width", "height", "categories", "probabilities", "novelty", "unusualness"), None
        ) | dict.fromkeys(("novelty_scores", "present", "candidates", "brightness"), None)
    return row


def write_dive_file(path: Path, rows: list[dict[str, Any]], **metadata: Any) -> Path:
    """Write a predictions file, with those columns that some row has."""
    told = {
        "schema_version": 1,
        "recipe": "probe",
        "bundle_hash": "0123456789abcdef",
        "ended": "2026-03-04T10:00:00+00:00",
        "categories": list(_DIVE_CATEGORIES),
        "novelty_scores": ["vim"],
        **metadata,
    }
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"failure": None, **row}) + "\n" for row in rows))
        path.with_name(f"{path.name}.provenance.json").write_text(json.dumps(told))
        return path
    columns = {
        name: pa.array([row.get(name) for row in rows], kind)
        for name, kind in _DIVE_TYPES.items()
        if name == "failure" or any(name in row for row in rows)
    }
    with pq.ParquetWriter(path, pa.schema([(n, c.type) for n, c in columns.items()])) as writer:
        writer.write_table(pa.table(columns))
        writer.add_key_value_metadata(to_file_metadata(told))
    return path


class DiveFiles:
    """Writes predictions files for the page of a dive."""

    row = staticmethod(dive_row)
    write = staticmethod(write_dive_file)
