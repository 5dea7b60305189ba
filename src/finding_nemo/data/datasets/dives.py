"""Vehicle, dive and time of a frame, from what its record says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from urllib.parse import unquote

from finding_nemo.core.errors import SettingsError

# MBARI's two ways to store a frame: .../framegrabs/<vehicle>/images/<dive>/<file> and
# .../staging/<vehicle>/images/<dive>/<file>.
_MBARI_PATH = re.compile(r"/(?:framegrabs|staging)/(?P<vehicle>[^/]+)/images/(?P<dive>[^/]+)/")
# Databases write 0001-01-01 and 9999-12-31 for "unknown"; nobody filmed before 1800.
_FIRST_YEAR, _LAST_YEAR = 1800, 2199
_MAX_TIME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class DiveKey:
    """Where a frame comes from.

    Attributes:
        vehicle: The vehicle, if known.
        dive: Vehicle and dive number together, such as "Doc Ricketts 0297", if known.
    """

    vehicle: str | None
    dive: str | None


NO_DIVE = DiveKey(None, None)


def compile_dive_pattern(pattern: str) -> re.Pattern[str]:
    """Return the user's pattern, checked.

    Raises:
        SettingsError: If it is no regular expression, or has no group named `dive`.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise SettingsError(
            f"--dive-pattern {pattern!r} is not a regular expression: {error}."
        ) from None
    if "dive" not in compiled.groupindex:
        raise SettingsError(
            f"--dive-pattern {pattern!r} needs a group named dive, and may have one named vehicle, "
            r"such as (?P<vehicle>[^/]+)/(?P<dive>\d+)/."
        )
    return compiled


def dive_from_text(text: str, pattern: re.Pattern[str] | None = None) -> DiveKey:
    """Return vehicle and dive found in a URL or a path.

    Args:
        text: The URL or path; percent escapes are undone.
        pattern: A pattern with a group `dive` and perhaps `vehicle`; default: MBARI's two forms.
    """
    found = (pattern or _MBARI_PATH).search(_path_of(text))
    if found is None:
        return NO_DIVE
    groups: Mapping[str, str | None] = found.groupdict()
    return named_dive(groups.get("vehicle"), groups.get("dive"))


def _path_of(text: str) -> str:
    """Return the path of a URL, or `text` if it is none, percent escapes undone.

    The standard library's parser took three times as long, and refuses some hosts.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        return unquote(scheme)
    rest = rest.partition("#")[0].partition("?")[0]
    return unquote(f"/{rest.partition('/')[2]}")


def named_dive(vehicle: str | None, dive: str | None) -> DiveKey:
    """Return the key of a dive number of a vehicle; without a dive there is no key."""
    if not dive:
        return DiveKey(vehicle or None, None)
    return DiveKey(vehicle or None, f"{vehicle} {dive}" if vehicle else dive)


def parse_capture_time(text: str | None) -> tuple[datetime | None, bool]:
    """Return when a frame was filmed, and whether the time of day is known.

    A time of exactly 00:00:00 counts as a bare date: 5,791 of FathomNet's 10,744 evaluation
    frames and 9 of its 5,950 training frames say midnight, the rest spread over the day.

    Args:
        text: ISO 8601 date or time in any of its forms, EXIF's `2014:01:02 10:00:00`, or
            `20140102100000`; with or without a zone. Forms that may be read in two ways
            (02/01/2014, seconds since 1970) are not read.

    Returns:
        The time in UTC without a zone, or `None` if the text is empty, unreadable or of a year
            outside 1800 to 2199.
    """
    moment = None if text is None else _moment(text.strip())
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None, False
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment, moment.time() != time.min


def _moment(text: str) -> datetime | None:
    if not text or len(text) > _MAX_TIME_CHARACTERS:
        return None
    try:
        return datetime.fromisoformat(_iso_form(text))
    except ValueError:
        return None


def _iso_form(text: str) -> str:
    """Return a time in a form that Python reads; text that means nothing certain becomes ""."""
    for name in (" UTC", " GMT", " Z", "z"):
        text = text.removesuffix(name) + "Z" if text.endswith(name) else text
    if text.isdecimal():  # 20140102 and 20140102100000; others may be seconds or days since a day
        return {8: text, 14: f"{text[:8]}T{text[8:]}"}.get(len(text), "")
    if text[4:5] == text[7:8] and text[4:5] in (":", "/", "."):
        text = f"{text[:4]}-{text[5:7]}-{text[8:]}"
    day = 10 if text[4:5] == "-" else 8
    return text if text[day : day + 1] in ("", "T", "t", " ", "_") else ""


def parse_frame_name(file_name: str) -> tuple[str, int | None]:
    """Return what stands before the last number of a file's stem, and that number.

    `vid_000002_frame0000013.jpg` gives `("vid_000002_frame", 13)`.
    """
    stem = file_name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    end = len(stem)
    while end and not stem[end - 1].isdecimal():
        end -= 1
    start = end
    while start and stem[start - 1].isdecimal():
        start -= 1
    if not 0 < end - start <= 18:
        return stem, None
    return stem[:start], int(stem[start:end])
