"""The columns of a predictions file that hold the one answer to each image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from finding_nemo.core.assessment import Answer

ANSWER_FIELDS = (
    pa.field("answer", pa.string()),
    pa.field("answer_level", pa.string()),
    pa.field("confidence", pa.string()),
    pa.field("answer_probability", pa.float32()),
    pa.field("why", pa.string()),
)
# Filled when a file is whole: a rank says something among all images of a dive only.
LOOK_FIRST = pa.field("look_first", pa.int32())


def answer_values(answer: Answer | None) -> dict[str, Any]:
    """Return the columns of one row; `None` where nothing is answered."""
    if answer is None:
        return {field.name: None for field in ANSWER_FIELDS}
    return {
        "answer": answer.text,
        "answer_level": answer.level,
        "confidence": answer.confidence,
        "answer_probability": answer.probability,
        "why": answer.why,
    }


@dataclass(frozen=True)
class AnswerColumns:
    """The answer to each row of a predictions file.

    Attributes:
        texts: A category or supercategory; `None` on failure.
        levels: "category" or "supercategory"; `None` on failure.
        confidences: "sure", "likely" or "guess"; `None` on failure.
        probabilities: Of the answer, shape (images,); NaN on failure.
        reasons: Why it is no finer and no surer; `None` on failure.
        look_first: Rank within the dive of the frames that a person should see first, from 1;
            `None` for all others.
    """

    texts: tuple[str | None, ...]
    levels: tuple[str | None, ...]
    confidences: tuple[str | None, ...]
    probabilities: npt.NDArray[np.float64]
    reasons: tuple[str | None, ...]
    look_first: tuple[int | None, ...]


def answer_columns(columns: Mapping[str, Sequence[Any]]) -> AnswerColumns | None:
    """Return the columns as read from a file; `None` where an earlier version wrote it."""
    names = [field.name for field in ANSWER_FIELDS]
    if not all(name in columns for name in names):
        return None
    answers = columns["answer"]
    if not any(answers):
        return None
    probabilities = (math.nan if p is None else p for p in columns["answer_probability"])
    return AnswerColumns(
        texts=tuple(answers),
        levels=tuple(columns["answer_level"]),
        confidences=tuple(columns["confidence"]),
        probabilities=np.fromiter(probabilities, np.float64, len(answers)),
        reasons=tuple(columns["why"]),
        look_first=tuple(columns.get(LOOK_FIRST.name, [None] * len(answers))),
    )
