"""What to do with the head of a server's answer: a pure decision before any byte is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

from finding_nemo.fetching.transfer.politeness import Manner, asked_pause_s

_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)", re.IGNORECASE)
_RANGE_OF_NONE = re.compile(r"bytes\s+\*/(\d+)", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
# Others below 500 are final: the same question would get the same answer.
_PASSING = frozenset({408, 421, 425})
_PAGES = ("text/html", "application/xhtml+xml")
_PAGE = "the server sends a web page in place of the image"


class Step(StrEnum):
    """What comes next."""

    WRITE = "write"  # the whole file follows
    APPEND = "append"  # what is missing follows
    COMPLETE = "complete"  # what is here is the whole file
    RESTART = "restart"  # what is here does not fit: ask for the whole
    REDIRECT = "redirect"
    RETRY = "retry"
    GONE = "gone"  # this address has no image


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswer:
    """What an answer's head means.

    Attributes:
        step: What comes next.
        reason: Why there is no image, in words.
        manner: How the server took the request.
        retry_after_s: For how long it asks to be left alone.
        location: Where it redirects to.
        total: How many bytes the whole file has, if it says so.
        validator: What tells this version of the file from others, for If-Range; "" without.
    """

    step: Step
    reason: str = ""
    manner: Manner = Manner.WELL
    retry_after_s: float | None = None
    location: str = ""
    total: int | None = None
    validator: str = ""


def judge_answer(
    status: int, headers: Mapping[str, str], *, offset: int, total: int | None, now: datetime
) -> ServerAnswer:
    """Return what to do with an answer.

    Args:
        status: Of HTTP.
        headers: By name in lower case.
        offset: From which byte on the file was asked for, 0 for the whole.
        total: How many bytes the file has by the answer that was begun with, if that said so.
        now: The time, with its zone.

    Source:
        RFC 9110, sections 13.1.5 (If-Range), 14 (ranges), 15 (status codes).
    """
    if status == HTTPStatus.OK:
        return _whole(headers)
    if status == HTTPStatus.PARTIAL_CONTENT:
        return _part(headers, offset, total)
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        found = _RANGE_OF_NONE.search(headers.get("content-range", ""))
        is_whole = found is not None and int(found[1]) == offset
        return ServerAnswer(step=Step.COMPLETE if is_whole else Step.RESTART)
    if status in _REDIRECTS and headers.get("location"):
        return ServerAnswer(step=Step.REDIRECT, location=headers["location"])
    reason = f"the server says {_in_words(status)}"
    if status in _BUSY:
        pause_s = asked_pause_s(headers.get("retry-after"), now)
        return ServerAnswer(
            step=Step.RETRY, reason=reason, manner=Manner.BUSY, retry_after_s=pause_s
        )
    if status >= 500 or status in _PASSING or status < 400:
        return ServerAnswer(step=Step.RETRY, reason=reason, manner=Manner.WRONG)
    return ServerAnswer(step=Step.GONE, reason=reason)


def _whole(headers: Mapping[str, str]) -> ServerAnswer:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _PAGES:
        return ServerAnswer(step=Step.RETRY, reason=_PAGE)
    if _is_coded(headers):
        return ServerAnswer(step=Step.WRITE)
    length = headers.get("content-length", "").strip()
    total = int(length) if length.isascii() and length.isdecimal() and len(length) < 16 else None
    return ServerAnswer(step=Step.WRITE, total=total, validator=_validator(headers))


def _part(headers: Mapping[str, str], offset: int, total: int | None) -> ServerAnswer:
    found = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if not offset or found is None or int(found[1]) != offset or _is_coded(headers):
        return ServerAnswer(
            step=Step.RESTART, reason="the server gives another part of the file than was asked for"
        )
    stated = None if found[3] == "*" else int(found[3])
    if stated is not None and total is not None and stated != total:
        return ServerAnswer(step=Step.RESTART, reason="the file has changed on the server")
    return ServerAnswer(step=Step.APPEND, total=total if stated is None else stated)


def _is_coded(headers: Mapping[str, str]) -> bool:
    """Return whether the bytes are coded: their lengths and parts are not the file's."""
    return headers.get("content-encoding", "identity").strip().lower() not in ("identity", "")


def _validator(headers: Mapping[str, str]) -> str:
    """Return the strong ETag, or else the date of the last change; weak ETags do not do."""
    tag = headers.get("etag", "").strip()
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    return headers.get("last-modified", "").strip()


def _in_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
