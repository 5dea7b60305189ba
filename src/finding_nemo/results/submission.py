"""The competition's submission: `id,categories,osd`, 20 categories a row, best first."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import SubmissionError
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.core.files.table_files import RowWriter, read_table
from finding_nemo.core.text.cells import INT32_MAX, is_number, number_in, quoted

N_CATEGORIES = 20
_COLUMNS = ("id", "categories", "osd")
# An unreadable image says nothing of its novelty: neither end of the scale is claimed.
_UNKNOWN_NOVELTY = 0.5


def submission_row(row: Mapping[str, Any], fallback_ids: Sequence[int]) -> tuple[str, str, float]:
    """Return one row, 20 guesses at most.

    Args:
        row: A row of a predictions file.
        fallback_ids: What to guess, best first, where the row has no guess.
    """
    guesses = row["categories"] or list(fallback_ids)
    value = row["novelty"]
    novelty = float(value) if value is not None and math.isfinite(value) else _UNKNOWN_NOVELTY
    return row["image_id"], " ".join(str(guess) for guess in guesses[:N_CATEGORIES]), novelty


def write_submission_file(
    rows: Iterable[Mapping[str, Any]], path: Path, fallback_ids: Sequence[int]
) -> int:
    """Write a submission, a file for a machine, and return how many rows there were.

    Ids stand as they are, line breaks and what a spreadsheet would take for a formula included:
    the competition looks for exactly them.

    Args:
        rows: Of a predictions file, those of images that could not be read among them.
        path: The file.
        fallback_ids: What to guess, best first, where a row has no guess.
    """
    count = 0
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = RowWriter(file)
        writer.write(_COLUMNS)
        for row in rows:
            writer.write(submission_row(row, fallback_ids))
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class SubmissionLine:
    """One line of a submission or of a solution.

    Attributes:
        image_id: The image.
        category_ids: Guesses best first, or the true categories in a solution.
        osd: The novelty score (1 or 0 in a solution), or `None` where there is no such column.
    """

    image_id: str
    category_ids: tuple[int, ...]
    osd: float | None


def read_submission(path: Path) -> list[SubmissionLine]:
    """Read a submission or a solution.

    `categories` is "1 9" or "[1.0, 9.0]"; the column `osd` may be absent. Guesses behind the 20th
    are kept, but the competition's metric does not look at them.

    Raises:
        SubmissionError: If the file is missing or empty, a column is missing, a line cannot be
            read, or an id is repeated; with the line.
    """
    lines = [line for _, line in submission_rows(path)]
    if not lines:
        raise SubmissionError(f"{path} holds no row.")
    counts = Counter(line.image_id for line in lines)
    repeated = [image_id for image_id, count in counts.items() if count > 1]
    if repeated:
        raise SubmissionError(
            f"{path}: {len(repeated)} ids are repeated; each must be there once: "
            f"{_first_few(repeated)}."
        )
    return lines


def submission_rows(
    path: Path, on_fault: OnFault = stop_at_fault
) -> Iterator[tuple[int, SubmissionLine]]:
    """Yield the lines of a submission with their numbers, those with a fault left out.

    Args:
        path: The file.
        on_fault: Takes each fault of a line.

    Raises:
        SubmissionError: If it is missing, no table, or lacks a column.
    """
    required = ("id", "categories")
    table = read_table(path, required=required, refusal=SubmissionError, on_fault=on_fault)
    for row in table.rows:
        try:
            line = SubmissionLine(
                image_id=_image_id(row.values["id"]),
                category_ids=_category_ids(row.values["categories"]),
                osd=_osd(row.values.get("osd", ""), decimal_comma=table.decimal_comma),
            )
        except ValueError as error:
            on_fault(SubmissionError(f"{path}, line {row.line}: {error}."))
            continue
        yield row.line, line


def _image_id(text: str) -> str:
    if not text.strip():
        raise ValueError("id must not be empty")
    return text.strip()


def _category_ids(text: str) -> tuple[int, ...]:
    """Return the ids of "1 9" or "[1.0, 9.0]"."""
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    words = inner.replace(",", " ").split()
    return tuple(_category_id(word, text) for word in words)


def _category_id(word: str, text: str) -> int:
    if not is_number(word):
        raise ValueError(f"could not convert {quoted(word)} of {quoted(text)} to a category id")
    number = float(word)
    if not number.is_integer() or not 0 <= number <= INT32_MAX:
        raise ValueError(
            f"{quoted(text)} is not a list of category ids, whole numbers from 0 to {INT32_MAX}"
        )
    return int(number)


def _osd(text: str, *, decimal_comma: bool) -> float | None:
    if not text.strip():
        return None
    try:
        value = number_in(text, decimal_comma=decimal_comma)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"osd must be a finite number, got {quoted(text)}")
    return value


def match_submission(
    submission: Sequence[SubmissionLine], solution: Sequence[SubmissionLine]
) -> list[SubmissionLine]:
    """Return the submission's lines in the solution's order.

    Raises:
        SubmissionError: If an id is missing, or is not in the solution.
    """
    by_id = {line.image_id: line for line in submission}
    wanted = [line.image_id for line in solution]
    missing = [image_id for image_id in wanted if image_id not in by_id]
    strange = sorted(by_id.keys() - set(wanted))
    if missing or strange:
        raise SubmissionError(
            f"The submission's ids are not the solution's: {len(missing)} missing"
            f"{_listed(missing)}, {len(strange)} not in the solution{_listed(strange)}."
        )
    return [by_id[image_id] for image_id in wanted]


def _listed(ids: Sequence[str]) -> str:
    return f" ({_first_few(ids)})" if ids else ""


def _first_few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (", ..." if len(ids) > 3 else "")
