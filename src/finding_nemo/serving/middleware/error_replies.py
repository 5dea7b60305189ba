"""What is refused, and what goes wrong, as one form of JSON that holds no path of the server."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from finding_nemo.core.errors import RequestError
from finding_nemo.core.text.printable import printable

JSON = "application/json"
_MOST_FAULTS = 5
_LONGEST_INPUT = 60
_PLACES_TOLD = 8
_WORDS = {
    400: ("The body cannot be read.", "Send JSON in UTF-8; /openapi.json tells its fields."),
    404: ("There is nothing at this address.", "Look into /openapi.json for what there is."),
    405: ("This address does not take this method.", "Look into /openapi.json for what it takes."),
}
UNEXPECTED = RequestError(
    500,
    "The server met a fault of its own.",
    do="Try again; if it stays, look at what the server printed.",
)


def error_json(error: RequestError) -> bytes:
    """Return the body of the reply that tells a refusal."""
    words = {"what": error.what, "wanted": error.wanted, "do": error.do}
    return json.dumps({"error": words}, ensure_ascii=False).encode(errors="replace")


def fault_in_words(error: BaseException) -> str:
    """Return an unexpected error and the last places in the program, in one line for the operator.

    A screen shows each line break of somebody's words as text, so a traceback could not be read.
    """
    places = traceback.extract_tb(error.__traceback__)[-_PLACES_TOLD:]
    where = ", ".join(f"{Path(p.filename).name}:{p.lineno} {p.name}" for p in reversed(places))
    return f"A fault of the server itself: {type(error).__name__}: {error} ({where})"


def wrong_fields(faults: Sequence[Mapping[str, Any]]) -> RequestError:
    """Return the refusal of fields that are missing or wrong, all in one message."""
    lines = [_fault(fault) for fault in faults[:_MOST_FAULTS]]
    more = len(faults) - len(lines)
    lines += [f"and {more} more"] if more > 0 else []
    return RequestError(
        422,
        f"Wrong fields: {'; '.join(lines)}.",
        do="Look into /openapi.json for the fields and their kinds.",
    )


def _fault(fault: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in fault["loc"][1:]) or "the body"
    words = str(fault["msg"]).removeprefix("Value error, ")
    return f"{printable(field[:_LONGEST_INPUT])}: {printable(words)}"


def add_error_replies(app: FastAPI) -> None:
    """Let the framework's own refusals be told in the one form, by the gate before the app."""

    async def refused(request: Request, error: Exception) -> Response:
        del request
        raise refusal_of(error) from None

    for kind in (RequestValidationError, HTTPException):
        app.add_exception_handler(kind, refused)


def refusal_of(error: Exception) -> RequestError:
    """Return the refusal that an error of the framework stands for."""
    if isinstance(error, RequestValidationError):
        return wrong_fields(error.errors())
    if isinstance(error.__cause__, RequestError):  # raised while the framework read the body
        return error.__cause__
    if isinstance(error, HTTPException):
        phrase = f"{HTTPStatus(error.status_code).phrase}."
        what, do = _WORDS.get(error.status_code, (phrase, ""))
        return RequestError(error.status_code, what, do=do, headers=error.headers)
    return UNEXPECTED
