"""The values of a predictions row, from text or JSON of any program into the schema's types."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from finding_nemo.core.text.cells import (
    INT32_MAX,
    is_nothing,
    number_in,
    quoted,
    undefused,
    whole_number_in,
)
from finding_nemo.core.text.json_text import kind_of
from finding_nemo.results.schema import Columns

# The columns that every predictions file has.
NEEDED = (
    "image_id",
    "path",
    "width",
    "height",
    "failure",
    "categories",
    "probabilities",
    "novelty",
)


def _kind(arrow_type: pa.DataType) -> str:
    if pa.types.is_list(arrow_type):
        return f"{_kind(arrow_type.value_type)}s"
    if pa.types.is_integer(arrow_type):
        return "whole"
    if pa.types.is_timestamp(arrow_type):
        return "moment"
    return "number" if pa.types.is_floating(arrow_type) else "text"


# Names of guesses are not read: the category table has them.
_NOT_READ = frozenset({"names"})
# Of each column that is read: "text", "moment", "whole", "number", "wholes" or "numbers".
KINDS: Mapping[str, str] = {
    field.name: _kind(field.type)
    for field in Columns(0, with_vector=False, with_time=True).schema()
    if field.name not in _NOT_READ
}


def from_text(name: str, text: str, *, decimal_comma: bool) -> Any:  # noqa: ANN401 - any column
    """Return the value of a CSV cell, `None` for an empty one.

    Raises:
        ValueError: If it cannot be a value of that column.
    """
    kind = KINDS[name]
    if kind == "text":
        return _text(name, undefused(text))
    if is_nothing(text):
        return None
    if kind == "moment":
        return _json_moment(text)
    if kind == "whole":
        return whole_number_in(text, decimal_comma=decimal_comma)
    if kind == "number":
        return number_in(text, decimal_comma=decimal_comma)
    if kind == "wholes":
        return [whole_number_in(word) for word in _words(text)]
    return [_number_or_nan(word) for word in _float_words(text, decimal_comma)]


def _text(name: str, text: str) -> str | None:
    if name in ("image_id", "path"):
        return text
    is_empty = is_nothing(text) or (name == "failure" and text.casefold() == "false")
    return None if is_empty else text


def _words(text: str) -> list[str]:
    """Return the words of "36 17" or, as pandas writes it, "[36, 17]"."""
    return text.strip().strip("[]()").replace(",", " ").split()


def _float_words(text: str, decimal_comma: bool) -> list[str]:
    if decimal_comma and "[" not in text and ", " not in text:
        return text.replace(",", ".").split()
    return _words(text)


def _number_or_nan(word: str) -> float:
    return math.nan if is_nothing(word) else number_in(word)


def from_json(name: str, value: object) -> Any:  # noqa: ANN401 - any column
    """Return the value of a JSON row or of a Parquet column of another type; NaN is `None`.

    Raises:
        ValueError: If it cannot be a value of that column.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    kind = KINDS[name]
    if kind.endswith("s"):
        if not isinstance(value, list):
            raise ValueError(f"must be a list, got {kind_of(value)}")
        return [_ONE[kind[:-1]](entry) for entry in value]
    return _ONE[kind](value)


def _json_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"must be a text, got {kind_of(value)}")


def _json_whole(value: object) -> int:
    number = _json_number(value)
    if not number.is_integer() or abs(number) > INT32_MAX:
        raise ValueError(f"{quoted(value)} is not a whole number of 32 bits")
    return int(number)


def _json_number(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, got {kind_of(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{quoted(value)} is too large") from None


def _json_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(_json_text(value))
    except ValueError:
        raise ValueError(f"{quoted(value)} is no time as 2014-07-14T10:20:30") from None


_ONE: Mapping[str, Callable[[object], Any]] = {
    "text": _json_text,
    "moment": _json_moment,
    "whole": _json_whole,
    "number": _json_number,
}
