"""`split.csv`: which image is in which part, as `id,dive,part`."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from finding_nemo.core.errors import AnnotationError, DatasetError, SplitError
from finding_nemo.core.files.atomic_files import refuse_existing, write_text
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.core.records import Dataset, Split, SplitRow
from finding_nemo.core.text.cells import undefused
from finding_nemo.core.text.wrong_argument import check_argument, check_path
from finding_nemo.data.datasets.csv_rows import read_csv_rows

_COLUMNS = ("id", "dive", "part")


def split_text(split: Split) -> str:
    """Return the split as the text of its file.

    A cell that a spreadsheet would take for a formula has an apostrophe before it, which
    `read_split` takes away.
    """
    text = io.StringIO(newline="")
    writer = TableWriter(text)
    writer.write(_COLUMNS)
    for row in split.rows:
        writer.write((row.image_id, row.dive, row.part))
    return text.getvalue()


def split_hash(split: Split) -> str:
    """Return the SHA-256 of the text of its file."""
    return hashlib.sha256(split_text(split).encode()).hexdigest()


def write_split(split: Split, path: Path | str, *, overwrite: bool = False) -> None:
    """Write a split file, `id,dive,part`.

    Args:
        split: The split.
        path: The CSV file.
        overwrite: Whether it may be there already.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        OutputExistsError: If it exists and `overwrite` is false.

    Example:
        >>> finding_nemo.write_split(split, "split.csv")  # doctest: +SKIP
    """
    check_argument(split, Split, "write_split()", "a Split, as make_split returns it")
    check_path(path, "write_split(path=...)", "the path of a file to write")
    path = Path(path)
    refuse_existing(path, overwrite=overwrite)
    write_text(path, split_text(split))


def read_split(path: Path | str) -> Split:
    """Read a split file; its kind is "random" where a dive has images in training and test.

    Args:
        path: The file.

    Returns:
        The split, in the file's order.

    Raises:
        ArgumentError: If `path` is no path.
        SplitError: If it is missing, empty, lacks a column, names an image twice, or has a
            line without a part; with the line.

    Example:
        >>> finding_nemo.read_split("split.csv").parts  # doctest: +SKIP
    """
    check_path(path, "read_split()", "the path of a split file")
    path = Path(path)
    rows: dict[str, SplitRow] = {}
    try:
        for line in read_csv_rows(path, required=_COLUMNS):
            row = SplitRow(*(_text_of(line.values[name]) for name in _COLUMNS))
            if not row.part or not row.image_id:
                raise SplitError(f"{path}, line {line.line}: id and part must not be empty.")
            if row.image_id in rows:
                raise SplitError(f"{path}, line {line.line}: id {row.image_id!r} is there already.")
            rows[row.image_id] = row
    except (AnnotationError, DatasetError) as error:
        raise SplitError(str(error)) from None
    if not rows:
        raise SplitError(f"{path} lists no image.")
    split = Split(tuple(rows.values()))
    return Split(split.rows, kind="random" if _cuts_dives(split) else "file")


def _text_of(cell: str) -> str:
    text = undefused(cell)
    return text.strip() if text == cell else text


def _cuts_dives(split: Split) -> bool:
    part_of: dict[str, str] = {}
    return any(
        row.dive and part_of.setdefault(row.dive, row.part) != row.part for row in split.rows
    )


def check_split(split: Split, dataset: Dataset) -> tuple[str, ...]:
    """Return notices on how `split` fits `dataset`.

    Raises:
        SplitError: If it names images that the data set does not have.
    """
    known = dataset.by_id
    strange = [row.image_id for row in split.rows if row.image_id not in known]
    if strange:
        raise SplitError(
            f"{len(strange)} of {len(split.rows)} images of the split are not in the data set "
            f"(first: {strange[0]}). Was it made for another one?"
        )
    left_out = sum(record.image_id not in split.part_of for record in dataset.annotated)
    return (f"{left_out} annotated images are in no part of the split.",) if left_out else ()
