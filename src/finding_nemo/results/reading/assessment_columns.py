"""The columns of a predictions file that say how far to trust a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from finding_nemo.core.assessment import Reading

READING_FIELDS = (
    pa.field("unusualness", pa.float64()),
    pa.field("novelty_scores", pa.list_(pa.float32())),
    pa.field("present", pa.list_(pa.int32())),
    pa.field("candidates", pa.list_(pa.int32())),
    pa.field("prediction", pa.string()),
    pa.field("prediction_probability", pa.float32()),
    pa.field("prediction_source", pa.string()),
    pa.field("brightness", pa.float32()),
    # Of the 20 best guesses, in their order.
    pa.field("evidence_images", pa.list_(pa.int32())),
    pa.field("evidence_dives", pa.list_(pa.int32())),
    pa.field("evidence_ap", pa.list_(pa.float32())),
)
NOTHING_READ: Mapping[str, None] = {field.name: None for field in READING_FIELDS}


def reading_values(reading: Reading | None, best: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return the columns of one row.

    Args:
        reading: `None` where nothing is known.
        best: The columns of the guesses that the row keeps, best first.
    """
    if reading is None:
        return dict(NOTHING_READ)
    evidence = reading.evidence
    return {
        "unusualness": _number(reading.unusualness),
        "novelty_scores": reading.scores.tolist(),
        "present": list(reading.present_ids),
        "candidates": list(reading.candidate_ids),
        "prediction": reading.said,
        "prediction_probability": _number(reading.said_probability),
        "prediction_source": reading.said_source,
        "brightness": _number(reading.brightness),
        "evidence_images": evidence.n_images[best].tolist(),
        "evidence_dives": evidence.n_dives[best].tolist(),
        "evidence_ap": [_number(ap) for ap in evidence.validation_ap[best].tolist()],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True)
class ReadingColumns:
    """How far to trust each row of a predictions file.

    Attributes:
        score_names: Of the columns of `scores`.
        scores: Every novelty score, shape (images, scores); NaN on failure.
        unusualness: Shape (images,), NaN on failure.
        brightness: Mean pixel in [0, 1], NaN on failure.
        present: Categories named at the wanted precision.
        candidates: The set that seldom misses a true category.
        said: The finest thing that could be said, "" for nothing.
        said_sources: Why that and nothing finer.
    """

    score_names: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    unusualness: npt.NDArray[np.float64]
    brightness: npt.NDArray[np.float64]
    present: tuple[tuple[int, ...], ...]
    candidates: tuple[tuple[int, ...], ...]
    said: tuple[str, ...]
    said_sources: tuple[str, ...]


_READ = ("unusualness", "brightness", "present", "candidates", "prediction", "prediction_source")


def reading_columns(
    columns: Mapping[str, Sequence[Any]], story: Mapping[str, Any]
) -> ReadingColumns | None:
    """Return the columns as read from a file; `None` where it has none of them.

    Raises:
        ValueError: If a column is missing, or rows differ in how many novelty scores they have.
    """
    names = tuple(story.get("novelty_scores", ()))
    widths = {len(row) for row in columns.get("novelty_scores", ()) if row is not None}
    if not widths:
        return None
    if len(widths) > 1 or (names and widths != {len(names)}):
        wanted = f"the {len(names)} that are named" if names else "equally many"
        raise ValueError(f"rows have {sorted(widths)} novelty scores, not {wanted}")
    lacking = [name for name in _READ if name not in columns]
    if lacking:
        raise ValueError(f"{lacking[0]!r} is missing, but novelty_scores is there")
    missing = [math.nan] * widths.pop()
    return ReadingColumns(
        score_names=names,
        scores=np.array(
            [missing if row is None else row for row in columns["novelty_scores"]], dtype=np.float64
        ),
        unusualness=_floats(columns["unusualness"]),
        brightness=_floats(columns["brightness"]),
        present=tuple(tuple(ids or ()) for ids in columns["present"]),
        candidates=tuple(tuple(ids or ()) for ids in columns["candidates"]),
        said=tuple(text or "" for text in columns["prediction"]),
        said_sources=tuple(text or "" for text in columns["prediction_source"]),
    )


def _floats(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
