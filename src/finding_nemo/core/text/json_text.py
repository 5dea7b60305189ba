"""JSON of others: every way in which it can be wrong is one message with its place."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from finding_nemo.core.files.text_files import Refusal
from finding_nemo.core.text.cells import quoted

_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words."""
    return _KINDS.get(type(value), type(value).__name__)


def parse_json(text: str, name: str, *, refusal: Refusal, first_line: int = 1) -> Any:  # noqa: ANN401
    """Return what JSON says; NaN and infinities are numbers, as Python writes them.

    Args:
        text: The JSON.
        name: The file, for a message.
        refusal: The class of error to raise.
        first_line: The line of the file where `text` begins.

    Raises:
        FindingNemoError: As `refusal`, if it is no JSON, is nested too deep, holds a number of
            thousands of digits, or names a key twice in one object.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
            raise refusal(f"{name}: the key {quoted(twice)} is there twice in one object.")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        cut = " Was the file cut off?" if is_cut else ""
        raise refusal(
            f"{name}, line {line}, column {error.colno}: not JSON ({error.msg}).{cut}"
        ) from None
    except RecursionError:
        raise refusal(f"{name}, line {first_line}: JSON that is nested too deep.") from None
    except ValueError as error:
        if isinstance(error, refusal):
            raise
        raise refusal(f"{name}: JSON with a number of thousands of digits.") from None
