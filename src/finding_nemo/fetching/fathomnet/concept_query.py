"""Questions to FathomNet's interface for images of a concept, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from finding_nemo.core.errors import FetchError, SettingsError
from finding_nemo.fetching.fathomnet.ask_uuids import post_json
from finding_nemo.fetching.fathomnet.fathomnet_api import read_answer
from finding_nemo.fetching.transfer.politeness import Politeness, wait_before_try

if TYPE_CHECKING:
    import httpx

PAGE_SIZE = 100
# An interface that gives the same page again and again is left after so many.
_MOST_PAGES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptFilter:
    """Which images of a concept are wanted.

    Attributes:
        min_depth_m: Metres below the surface, at least.
        max_depth_m: Metres below the surface, at most.
        region: South, north, west, east in degrees.
        since: The first day.
        until: The last day, itself included.
        per_concept: So many images of one concept at most.
    """

    min_depth_m: float | None = None
    max_depth_m: float | None = None
    region: tuple[float, float, float, float] | None = None
    since: datetime | None = None
    until: datetime | None = None
    per_concept: int = 500

    def constraints(self, concept: str, *, offset: int) -> dict[str, Any]:
        """Return what is asked, in FathomNet's own words (its GeoImageConstraints)."""
        asked: dict[str, Any] = {"concept": concept, "limit": PAGE_SIZE, "offset": offset}
        south, north, west, east = self.region or (None, None, None, None)
        asked |= {
            "minDepth": self.min_depth_m,
            "maxDepth": self.max_depth_m,
            "minLatitude": south,
            "maxLatitude": north,
            "minLongitude": west,
            "maxLongitude": east,
            "startTimestamp": _timestamp(self.since, "00:00:00"),
            "endTimestamp": _timestamp(self.until, "23:59:59"),
        }
        return {name: value for name, value in asked.items() if value is not None}


def _timestamp(day: datetime | None, time: str) -> str | None:
    return None if day is None else f"{day:%Y-%m-%d}T{time}Z"


def parse_region(text: str) -> tuple[float, float, float, float]:
    """Return a region from "SOUTH,NORTH,WEST,EAST" in degrees.

    Raises:
        SettingsError: If it is none.

    Example:
        >>> parse_region("35,37,-123,-121")
        (35.0, 37.0, -123.0, -121.0)
    """
    try:
        south, north, west, east = (float(part) for part in text.split(","))
    except ValueError:
        raise SettingsError(
            f"region {text!r} is not four numbers: SOUTH,NORTH,WEST,EAST in degrees."
        ) from None
    if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
        raise SettingsError(
            f"region {text!r}: latitudes go from -90 to 90 and longitudes from -180 to 180, the "
            "smaller one first; ask twice for a region over the date line."
        )
    return south, north, west, east


def parse_day(text: str) -> datetime:
    """Return a day from "2019-05-31".

    Raises:
        SettingsError: If it is none.
    """
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise SettingsError(f"{text!r} is no day; write it as 2019-05-31.") from None


async def images_of_concept(
    client: httpx.AsyncClient,
    api: str,
    concept: str,
    wanted: ConceptFilter,
    politeness: Politeness,
) -> AsyncIterator[Mapping[str, Any]]:
    """Yield what FathomNet says of each image of a concept, in its order.

    Raises:
        FetchError: If the interface refuses, or fails all the time.
    """
    seen: set[str] = set()
    for page in range(_MOST_PAGES):
        asked = wanted.constraints(concept, offset=page * PAGE_SIZE)
        entries = await _asked(client, f"{api}/images/query", asked, politeness)
        new = [entry for entry in entries if str(entry.get("uuid")) not in seen]
        for entry in new:
            seen.add(str(entry.get("uuid")))
            yield entry
        if len(entries) < PAGE_SIZE or not new:
            return


async def _asked(
    client: httpx.AsyncClient, url: str, content: object, politeness: Politeness
) -> list[Mapping[str, Any]]:
    random = Random()  # noqa: S311 - spreads waits, no secret
    for n_faults in range(1, politeness.tries + 1):
        await asyncio.sleep(1.0 / politeness.per_s)
        taken, found = await post_json(client, url, content, politeness)
        if found is not None:
            return read_answer(found)
        wait_s = wait_before_try(n_faults, politeness, random)
        await asyncio.sleep(max(wait_s, taken.retry_after_s or 0.0))
    raise FetchError(
        f"FathomNet's interface at {url} cannot be reached or fails all the time "
        f"({politeness.tries} tries). Try again later; FATHOMNET_API_URL names another place."
    )
