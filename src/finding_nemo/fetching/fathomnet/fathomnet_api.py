"""What FathomNet's interface says of images, by their uuids: never the boxes."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finding_nemo.core.errors import AddressError, FetchError
from finding_nemo.fetching.transfer.addresses import checked_address

API_VARIABLE = "FATHOMNET_API_URL"
_API = "https://database.fathomnet.org/api"
IMAGES_BASE = "https://database.fathomnet.org"
DOMAIN = "fathomnet.org"
TERMS = (
    "Images of FathomNet are used under its terms: https://fathomnet.org/terms. The images of the "
    "competition of 2023 are CC BY-NC-ND 4.0 and may train models; they may not be passed on."
)
# So many uuids go into one question.
UUIDS_A_REQUEST = 50
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """All that is taken of what FathomNet says of an image.

    Its boxes and names are left: of the competition's evaluation images they are the answers.

    Attributes:
        uuid: FathomNet's name of it.
        url: Where it is now, "" if that cannot be asked.
        sha256: Of its bytes, "" if that is not said.
        width: In px.
        height: In px.
        depth_m: Metres below the surface.
        latitude: In degrees.
        longitude: In degrees.
    """

    uuid: str
    url: str = ""
    sha256: str = ""
    width: int | None = None
    height: int | None = None
    depth_m: float | None = None
    latitude: float | None = None
    longitude: float | None = None


def api_address() -> str:
    """Return where the interface is: by FATHOMNET_API_URL, else where it was in 2026.

    Raises:
        AddressError: If the variable holds no address.
    """
    return checked_address(os.environ.get(API_VARIABLE) or _API).rstrip("/")


def uuid_in(text: str) -> str | None:
    """Return the uuid that an image id is, in lower case; `None` if it is none."""
    return text.lower() if _UUID.fullmatch(text) else None


def image_facts(entry: Mapping[str, Any]) -> ImageFacts | None:
    """Return what is taken of one image in an answer; `None` if it names no image.

    Values that are of another kind or out of range count as not said.
    """
    uuid = entry.get("uuid")
    if not isinstance(uuid, str) or uuid_in(uuid) is None:
        return None
    sha256 = entry.get("sha256")
    return ImageFacts(
        uuid=uuid.lower(),
        url=_address(entry.get("url")),
        sha256=sha256.lower() if isinstance(sha256, str) and _SHA256.fullmatch(sha256) else "",
        width=_side(entry.get("width")),
        height=_side(entry.get("height")),
        depth_m=_number(entry.get("depthMeters"), -500.0, 12_000.0),
        latitude=_number(entry.get("latitude"), -90.0, 90.0),
        longitude=_number(entry.get("longitude"), -180.0, 180.0),
    )


def read_answer(content: bytes) -> list[Mapping[str, Any]]:
    """Return the images of an answer, which is a list of objects or one object.

    Raises:
        FetchError: If it is no JSON, or of another form.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise FetchError("its answer is no JSON") from None
    entries = found if isinstance(found, list) else [found]
    if not all(isinstance(entry, dict) for entry in entries):
        raise FetchError("its answer is no list of images")
    return entries


def facts_by_uuid(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, ImageFacts]:
    """Return what is taken of each image of an answer, by uuid."""
    found = (image_facts(entry) for entry in entries)
    return {facts.uuid: facts for facts in found if facts is not None}


def _address(value: object) -> str:
    try:
        return checked_address(value) if isinstance(value, str) else ""
    except AddressError:
        return ""


def _number(value: object, low: float, high: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and low <= value <= high else None


def _side(value: object) -> int | None:
    found = _number(value, 1, 1_000_000)
    return None if found is None else int(found)
