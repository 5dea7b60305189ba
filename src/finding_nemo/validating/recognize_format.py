"""Which of our formats a file is of, told from its name and its first bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.files.table_files import columns_in
from finding_nemo.core.files.text_files import read_head
from finding_nemo.core.names.registries import registry
from finding_nemo.models.bundle.bundle_files import MANIFEST
from finding_nemo.results.reading.row_values import NEEDED
from finding_nemo.validating.format_columns import (
    PREDICTIONS,
    REVIEWS,
    SPLIT,
    SUBMISSION,
    TABLE_FOR_PEOPLE,
    FormatColumn,
)

_HEAD_BYTES = 65536
_PARQUET_MAGIC = "PAR1"
# A column that a format only knows counts less than one that it must have.
_KNOWN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """One format that can be checked.

    Attributes:
        name: As given to `--as`.
        about: One line for people.
        check: "module:function"; it takes the path and a `FaultList` and returns how many rows
            it read, `None` where the format has none.
        columns: Of its tables.
        needed: Columns by which a table is known; none where it is no table.
    """

    name: str
    about: str
    check: str
    columns: tuple[FormatColumn, ...] = ()
    needed: tuple[str, ...] = ()


_CHECKS = "finding_nemo.validating"
FILE_FORMATS: Mapping[str, FileFormat] = registry(
    FileFormat(
        name="predictions",
        about="predictions as Parquet, JSONL or CSV, own or adapted",
        check=f"{_CHECKS}.check_predictions:check_predictions",
        columns=PREDICTIONS,
        needed=NEEDED,
    ),
    FileFormat(
        name="table",
        about="predictions as the CSV table for people",
        check=f"{_CHECKS}.check_tables:check_table_for_people",
        columns=TABLE_FOR_PEOPLE,
        needed=tuple(each.name for each in TABLE_FOR_PEOPLE if each.needed),
    ),
    FileFormat(
        name="bundle",
        about="a trained model, as a folder",
        check=f"{_CHECKS}.check_bundle:check_bundle",
    ),
    FileFormat(
        name="reviews",
        about="what people saw in frames, as CSV",
        check=f"{_CHECKS}.check_tables:check_reviews",
        columns=REVIEWS,
        needed=("id", "categories"),
    ),
    FileFormat(
        name="split",
        about="which image is in which part, as CSV",
        check=f"{_CHECKS}.check_tables:check_split",
        columns=SPLIT,
        needed=("id", "dive", "part"),
    ),
    FileFormat(
        name="submission",
        about="what the competition takes, as CSV",
        check=f"{_CHECKS}.check_tables:check_submission",
        columns=SUBMISSION,
        needed=("id", "categories", "osd"),
    ),
)


def recognize_format(path: Path) -> tuple[str, str]:
    """Return the format of a file or folder and why; "" and what was looked for if nobody knows."""
    if path.is_dir() or path.name == MANIFEST:
        return "bundle", "it is a folder" if path.is_dir() else f"it is the {MANIFEST} of one"
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".jsonl", ".ndjson"):
        return "predictions", f"its name ends in {suffix}"
    if read_head(path, len(_PARQUET_MAGIC)) == _PARQUET_MAGIC:
        return "predictions", "it begins as Parquet files do"
    names = columns_in(read_head(path, _HEAD_BYTES))
    scores = {each.name: _score(each, names) for each in FILE_FORMATS.values() if each.needed}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] <= 0:
        wanted = "; ".join(f"{n} has {', '.join(FILE_FORMATS[n].needed[:4])}" for n in scores)
        return "", f"no column of a format of ours stands in its first line ({wanted})"
    found = [name for name in names if name in {each.name for each in FILE_FORMATS[best].columns}]
    return best, f"its columns are {', '.join(found[:8])}{', ...' if len(found) > 8 else ''}"


def _score(known: FileFormat, names: Sequence[str]) -> float:
    columns = {each.name for each in known.columns}
    n_needed = sum(name in names for name in known.needed)
    return n_needed / len(known.needed) + _KNOWN * sum(name in columns for name in names)
