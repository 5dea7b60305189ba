"""Reviews, splits, submissions and the CSV table for people, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from finding_nemo.adaptation.files.reviews import MAX_NAME, review_rows
from finding_nemo.core.errors import PredictionsError, ReviewsError, SplitError, SubmissionError
from finding_nemo.core.files.fault_handling import pass_over_fault
from finding_nemo.core.files.table_files import TableRow, read_table
from finding_nemo.core.text.cells import number_in, quoted, undefused, whole_number_in
from finding_nemo.core.text.plain_text import holds_control_characters
from finding_nemo.core.text.printable import printable
from finding_nemo.data.splits.split_csv import split_rows
from finding_nemo.results.submission import N_CATEGORIES, submission_rows
from finding_nemo.validating.fault_list import FaultList
from finding_nemo.validating.format_columns import TABLE_FOR_PEOPLE, FormatColumn
from finding_nemo.validating.repeated_ids import RepeatedIds

_NUMBERED = re.compile(r"(guess|probability)([1-9][0-9]?)(_id)?")


def check_reviews(path: Path, faults: FaultList) -> int:
    """Check a file of reviews, and return how many lines were read."""
    count = 0
    try:
        for review in review_rows(path, faults):
            count += 1
            for column, cell in (("categories", review.cell), ("rejected", review.rejected)):
                for part in cell.parts:
                    words = _fault_of_name(part)
                    if words:
                        faults.add(f"line {review.line}", column, words)
            both = sorted(set(review.cell.parts) & set(review.rejected.parts))
            if both:
                words = f"{quoted(both[0])} stands in categories too; leave it in one of them."
                faults.add(f"line {review.line}", "rejected", words)
    except ReviewsError as error:
        faults(error)
        return count
    return _not_empty(count, faults, "no review")


def _fault_of_name(part: str) -> str:
    if len(part) > MAX_NAME:
        return f"a name of {len(part)} characters is none; {MAX_NAME} is the most."
    if holds_control_characters(part):
        return f"the name {printable(part[:80])!r} holds control characters."
    return ""


def check_split(path: Path, faults: FaultList) -> int:
    """Check a split file, and return how many lines were read."""
    count, without_dive, with_dive = 0, "", 0
    try:
        for line, row in split_rows(path, faults):
            count += 1
            with_dive += bool(row.dive)
            without_dive = without_dive or ("" if row.dive else f"line {line}")
            if holds_control_characters(row.part):
                shown = printable(row.part[:80])
                faults.add(f"line {line}", "part", f"{shown!r} holds control characters.")
    except SplitError as error:
        faults(error)
        return count
    if without_dive and with_dive:
        words = (
            f"must not be empty: {with_dive} of {count} lines have a dive. Name the dive of each, "
            "or of none."
        )
        faults.add(without_dive, "dive", words)
    return _not_empty(count, faults, "no image")


def check_submission(path: Path, faults: FaultList) -> int:
    """Check a submission, and return how many lines were read."""
    ids, count = RepeatedIds(), 0
    try:
        for number, line in submission_rows(path, faults):
            count += 1
            ids.add([line.image_id])
            guesses, where = line.category_ids, f"line {number}"
            if line.osd is None:
                faults.add(where, "osd", "must be a number, got nothing.")
            if not 1 <= len(guesses) <= N_CATEGORIES:
                words = f"must be 1 to {N_CATEGORIES} ids, got {len(guesses)}."
                faults.add(where, "categories", words)
            if len(set(guesses)) != len(guesses):
                faults.add(where, "categories", "a category is guessed twice.")
        again = submission_rows(path, pass_over_fault)
        for where, image_id, first in ids.repeated((f"line {n}", row.image_id) for n, row in again):
            faults.add(where, "id", f"{image_id!r} is there already ({first}).")
    except SubmissionError as error:
        faults(error)
        return count
    return _not_empty(count, faults, "no row")


def check_table_for_people(path: Path, faults: FaultList) -> int:
    """Check the CSV table for people, and return how many lines were read."""
    needed = [each.name for each in TABLE_FOR_PEOPLE if each.needed]
    count = 0
    try:
        table = read_table(path, required=needed, refusal=PredictionsError, on_fault=faults)
        known = {name: column for name in table.names if (column := _column_of(name))}
        for row in table.rows:
            count += 1
            for name, words in _faults_of_cells(row, known, decimal_comma=table.decimal_comma):
                faults.add(f"line {row.line}", name, words)
    except PredictionsError as error:
        faults(error)
    return count


def _column_of(name: str) -> FormatColumn | None:
    numbered = _NUMBERED.fullmatch(name)
    first = f"{numbered[1]}1{numbered[3] or ''}" if numbered else name
    return next((each for each in TABLE_FOR_PEOPLE if each.name == first), None)


def _faults_of_cells(
    row: TableRow, known: dict[str, FormatColumn], *, decimal_comma: bool
) -> Iterator[tuple[str, str]]:
    if not row.values["image"].strip():
        yield "image", "must not be empty."
    for name, column in known.items():
        text = undefused(row.values[name]).strip()
        if not text:
            continue
        if column.choices and text not in column.choices:
            yield name, f"must be {' or '.join(column.choices)}, got {quoted(text)}."
        if column.type in ("whole", "number"):
            words = _fault_of_number(text, column, decimal_comma=decimal_comma)
            if words:
                yield name, words
    has_guess = bool(row.values["guess1"].strip())
    has_failed = bool(row.values["failure"].strip())
    if has_guess == has_failed:
        yield "guess1", "guesses, although it failed." if has_guess else "no guess and no failure."


def _fault_of_number(text: str, column: FormatColumn, *, decimal_comma: bool) -> str:
    read = whole_number_in if column.type == "whole" else number_in
    try:
        value = read(text, decimal_comma=decimal_comma)
    except ValueError as error:
        return f"{error}."
    is_low = column.least is not None and value < column.least
    is_high = column.most is not None and value > column.most
    return f"must be {column.range_in_words}, got {text}." if is_low or is_high else ""


def _not_empty(count: int, faults: FaultList, what: str) -> int:
    if not count and not faults.count:
        faults.add("", "", f"the file holds {what}.")
    return count
