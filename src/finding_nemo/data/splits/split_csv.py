"""`split.csv`: which image is in which part, as `id,dive,part`."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

from finding_nemo.core.errors import SplitError
from finding_nemo.core.files.atomic_files import refuse_existing, write_text
from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.core.files.table_files import TableWriter, read_table
from finding_nemo.core.records import Dataset, Split, SplitRow
from finding_nemo.core.text.cells import undefused
from finding_nemo.core.text.wrong_argument import check_argument, check_path

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
    rows = {row.image_id: row for _, row in split_rows(path)}
    if not rows:
        raise SplitError(f"{path} lists no image.")
    split = Split(tuple(rows.values()))
    return Split(split.rows, kind="random" if _cuts_dives(split) else "file")


def split_rows(path: Path, on_fault: OnFault = stop_at_fault) -> Iterator[tuple[int, SplitRow]]:
    """Yield the lines of a split file with their numbers, those with a fault left out.

    Args:
        path: The file.
        on_fault: Takes each fault of a line.

    Raises:
        SplitError: If it is missing, no table, or lacks a column.
    """
    if not os.path.exists(path):
        raise SplitError(f"The file {path} does not exist.")
    seen: set[str] = set()
    table = read_table(path, required=_COLUMNS, refusal=SplitError, on_fault=on_fault)
    for line in table.rows:
        row = SplitRow(*(_text_of(line.values[name]) for name in _COLUMNS))
        fault = "id and part must not be empty" if not row.part or not row.image_id else ""
        if row.image_id in seen:
            fault = f"id {row.image_id!r} is there already"
        if fault:
            on_fault(SplitError(f"{path}, line {line.line}: {fault}."))
            continue
        seen.add(row.image_id)
        yield line.line, row


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
