"""Where and when a picture was taken, as its own header says it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import Image

from finding_nemo.data.datasets.dives import parse_capture_time
from finding_nemo.exporting.export_frame import NOWHERE, FramePosition

_GPS, _EXIF = 0x8825, 0x8769
_LATITUDE, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = 2, 4, 5, 6
_TIME_OF_DAY, _DATE = 7, 29
_TAKEN, _OFFSET = 0x9003, 0x9011
SOURCE = "EXIF"


def read_exif_position(path: Path) -> tuple[FramePosition, datetime | None]:
    """Return where and when a picture was taken; nothing where its header does not say.

    A moment is taken from the GPS block, which is UTC, else from the camera's clock where it states
    its zone: a clock of no zone is no moment. A height below the sea counts as depth.

    Args:
        path: A file; one that is missing or is no picture says nothing.
    """
    try:
        with Image.open(path) as image:
            exif = image.getexif()
            gps, camera = dict(exif.get_ifd(_GPS)), dict(exif.get_ifd(_EXIF))
    except Exception:  # a header that cannot be parsed, in any of a dozen ways, says nothing
        return NOWHERE, None
    return position_of_tags(gps), moment_of_tags(gps, camera)


def position_of_tags(gps: Mapping[int, Any]) -> FramePosition:
    """Return the position of a GPS block; nothing where it has none that can be."""
    latitude = _degrees(gps.get(_LATITUDE), gps.get(_LATITUDE - 1), "NS", 90.0)
    longitude = _degrees(gps.get(_LONGITUDE), gps.get(_LONGITUDE - 1), "EW", 180.0)
    if latitude is None or longitude is None:
        latitude = longitude = None
    below = gps.get(_ALTITUDE_REF) in (1, b"\x01")
    altitude = _number(gps.get(_ALTITUDE))
    depth = altitude if below and altitude is not None and altitude >= 0 else None
    if latitude is None and depth is None:
        return NOWHERE
    return FramePosition(latitude=latitude, longitude=longitude, depth_m=depth, source=SOURCE)


def moment_of_tags(gps: Mapping[int, Any], camera: Mapping[int, Any]) -> datetime | None:
    """Return when a picture was taken (UTC), `None` where no tag says it surely."""
    parts = _three(gps.get(_TIME_OF_DAY))
    if parts is not None and isinstance(gps.get(_DATE), str):
        hour, minute, second = parts
        text = f"{gps[_DATE]} {hour:02.0f}:{minute:02.0f}:{second:06.3f}"
        return parse_capture_time(text)[0]
    taken, offset = camera.get(_TAKEN), camera.get(_OFFSET)
    if isinstance(taken, str) and isinstance(offset, str) and offset.strip():
        return parse_capture_time(f"{taken.strip()}{offset.strip()}")[0]
    return None


def _degrees(values: object, reference: object, letters: str, most: float) -> float | None:
    parts = _three(values)
    letter = reference.strip().upper()[:1] if isinstance(reference, str) else ""
    if parts is None or not letter or letter not in letters:
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    if not 0 <= degrees <= most:
        return None
    return -degrees if letter == letters[1] else degrees


def _three(values: object) -> tuple[float, float, float] | None:
    if not isinstance(values, Sequence) or isinstance(values, str | bytes) or len(values) != 3:
        return None
    first, second, third = (_number(value) for value in values)
    if first is None or second is None or third is None:
        return None
    return first, second, third


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type] # a rational of Pillow's, or anything
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None
