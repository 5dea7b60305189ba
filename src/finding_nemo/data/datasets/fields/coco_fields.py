"""The values of a COCO file, each checked: any JSON can stand where a number or text should."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.records import Box
from finding_nemo.core.text.cells import INT32_MAX, quoted
from finding_nemo.core.text.json_text import kind_of
from finding_nemo.data.datasets.fields.label_cells import category_id, whole_number

JoinKey = int | str


def member(entry: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - JSON values are of any type
    """Return the value of a key that must be there.

    Raises:
        AnnotationError: If it is missing.
    """
    if key not in entry:
        raise AnnotationError(f"the key {key!r} is missing")
    return entry[key]


def join_key(value: object, key: str) -> JoinKey:
    """Return an id by which other records point to this one: a whole number or text.

    Raises:
        AnnotationError: If it is anything else.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise AnnotationError(f"{key} must be a whole number or a text, got {_shown(value)}")


def needed_text(value: object, key: str) -> str:
    """Return a text that must be there.

    Raises:
        AnnotationError: If it is null, empty, or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise AnnotationError(f"{key} must be a text, got {_shown(value)}")
    return whole_characters(value, key, errors="surrogateescape")


def text_or_none(value: object, key: str) -> str | None:
    """Return a text, or a number as text; null and NaN are none.

    Raises:
        AnnotationError: If it is neither text nor a number, or holds half a character.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return whole_characters(value, key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnnotationError(f"{key} must be a text, got {_shown(value)}")
    number = whole_number(value) if isinstance(value, int) or value.is_integer() else value
    return quoted(number) if isinstance(number, int) else str(number)


def whole_characters(text: str, key: str, *, errors: str = "strict") -> str:
    """Return `text` if it can be written as UTF-8.

    Args:
        text: The text.
        key: What to call it in a message.
        errors: "surrogateescape" for a file's name, which may hold bytes that are no UTF-8.

    Raises:
        AnnotationError: If half of a surrogate pair stands in it.
    """
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        raise AnnotationError(
            f"{key} {quoted(text)} holds half a character (a lone surrogate)"
        ) from None
    return text


def side_px(value: object, key: str) -> int | None:
    """Return a width or height; null, NaN and 0 mean that nobody knows.

    Raises:
        AnnotationError: If it is no whole number, negative, or above 32 bits.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        number = whole_number(value)
    except AnnotationError as error:
        raise AnnotationError(f"{key}: {error}") from None
    if not 0 <= number <= INT32_MAX:
        raise AnnotationError(f"{key} must be 0 to {INT32_MAX} px, got {quoted(value)}")
    return number or None


def box_of(entry: Mapping[str, Any]) -> Box:
    """Return the box of an annotation; one without has no size.

    Raises:
        AnnotationError: If `category_id` or `bbox` cannot be what they must be.
    """
    try:
        category = category_id(member(entry, "category_id"))
    except AnnotationError as error:
        fault = str(error)
        raise AnnotationError(
            fault if fault.startswith(("category id", "the key")) else f"category_id: {fault}"
        ) from None
    sides = entry.get("bbox")
    if sides is None or sides == []:
        return Box(category, 0.0, 0.0, 0.0, 0.0)
    if not isinstance(sides, list) or len(sides) != 4 or not all(map(_is_finite, sides)):
        raise AnnotationError(
            f"bbox must be [x, y, width, height] of finite numbers, got {quoted(sides, 80)}"
        )
    x, y, width, height = map(float, sides)
    if width < 0 or height < 0:
        raise AnnotationError(f"bbox must have no negative width or height, got {quoted(sides)}")
    return Box(category, x, y, width, height)


def _is_finite(value: object) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is int and abs(value) <= INT32_MAX


def _shown(value: object) -> str:
    kind = kind_of(value)
    return kind if isinstance(value, list | dict) or value is None else f"{kind} ({quoted(value)})"
