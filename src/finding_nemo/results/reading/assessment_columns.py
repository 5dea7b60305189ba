"""The columns of a predictions file that say how far to trust a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from finding_nemo.core.assessment import Assessment

ASSESSMENT_FIELDS = (
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
NO_ASSESSMENT: Mapping[str, None] = {field.name: None for field in ASSESSMENT_FIELDS}


def assessment_values(assessment: Assessment | None, best: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Return the columns of one row.

    Args:
        assessment: `None` where nothing is known.
        best: The columns of the guesses that the row keeps, best first.
    """
    if assessment is None:
        return dict(NO_ASSESSMENT)
    evidence = assessment.evidence
    return {
        "unusualness": _number(assessment.novelty_percentile),
        "novelty_scores": assessment.novelty_scores.tolist(),
        "present": list(assessment.named_ids),
        "candidates": list(assessment.prediction_set),
        "prediction": assessment.label,
        "prediction_probability": _number(assessment.label_probability),
        "prediction_source": assessment.label_source,
        "brightness": _number(assessment.brightness),
        "evidence_images": evidence.n_images[best].tolist(),
        "evidence_dives": evidence.n_dives[best].tolist(),
        "evidence_ap": [_number(ap) for ap in evidence.validation_ap[best].tolist()],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True)
class AssessmentColumns:
    """How far to trust each row of a predictions file.

    Attributes:
        score_names: Of the columns of `scores`.
        scores: Every novelty score, shape (images, scores); NaN on failure.
        novelty_percentile: Shape (images,), NaN on failure.
        brightness: Mean pixel in [0, 1], NaN on failure.
        named_ids: Categories named at the wanted precision.
        prediction_sets: The set that seldom misses a true category.
        labels: The finest thing that could be said, "" for nothing.
        label_sources: Why that and nothing finer.
    """

    score_names: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    novelty_percentile: npt.NDArray[np.float64]
    brightness: npt.NDArray[np.float64]
    named_ids: tuple[tuple[int, ...], ...]
    prediction_sets: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...]
    label_sources: tuple[str, ...]


_READ = ("unusualness", "brightness", "present", "candidates", "prediction", "prediction_source")


def assessment_columns(
    columns: Mapping[str, Sequence[Any]], metadata: Mapping[str, Any]
) -> AssessmentColumns | None:
    """Return the columns as read from a file; `None` where it has none of them.

    Raises:
        ValueError: If a column is missing, or rows differ in how many novelty scores they have.
    """
    names = tuple(metadata.get("novelty_scores", ()))
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
    return AssessmentColumns(
        score_names=names,
        scores=np.array(
            [missing if row is None else row for row in columns["novelty_scores"]], dtype=np.float64
        ),
        novelty_percentile=_floats(columns["unusualness"]),
        brightness=_floats(columns["brightness"]),
        named_ids=tuple(tuple(ids or ()) for ids in columns["present"]),
        prediction_sets=tuple(tuple(ids or ()) for ids in columns["candidates"]),
        labels=tuple(text or "" for text in columns["prediction"]),
        label_sources=tuple(text or "" for text in columns["prediction_source"]),
    )


def _floats(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
