"""The service of WoRMS: 50 names a request, one request at a time, asked again where it fails."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any

from finding_nemo.core.reporter import Reporter
from finding_nemo.fetching.transfer.addresses import checked_address
from finding_nemo.fetching.transfer.politeness import (
    Politeness,
    asked_pause_s,
    wait_before_try,
)
from finding_nemo.fetching.worms.worms_cache import WormsCache
from finding_nemo.marine.worms_records import WormsRecord, record_from_answer

if TYPE_CHECKING:
    import httpx

API_VARIABLE = "WORMS_API_URL"
_API = "https://www.marinespecies.org/rest"
NAMES_A_REQUEST = 50
_MAX_ANSWER_BYTES = 16 << 20
# Fewer and slower than images: it is a small service that many projects live on.
WORMS_POLITENESS = Politeness(connections=1, per_s=1.0, tries=5)
_TOO_LONG = frozenset({HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
_AGAIN = frozenset({408, 425, 429})


def worms_address() -> str:
    """Return where the service is: by WORMS_API_URL, else where it was in 2026.

    Raises:
        AddressError: If the variable holds no address.
    """
    return checked_address(os.environ.get(API_VARIABLE) or _API).rstrip("/")


class _UnreachableError(Exception):
    """The service could not be asked, and why."""


class _TooLongError(Exception):
    """The question was longer than the service takes."""


@dataclass
class WormsService:
    """Records asked of WoRMS; what it answered once is taken from the cache.

    Attributes:
        client: What sends requests.
        cache: What was answered before.
        reporter: Told how it goes.
        api: Where the service is.
        politeness: How often and how soon it is asked.
        sleep: Waits; replaced in tests.
    """

    client: httpx.Client
    cache: WormsCache
    reporter: Reporter
    api: str
    politeness: Politeness = WORMS_POLITENESS
    sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds)
    label: str = field(default_factory=lambda: f"WoRMS {datetime.now(UTC).date().isoformat()}")
    _random: Random = field(default_factory=Random)
    _next_at: float = 0.0
    _why_not: str = ""

    @property
    def why_not(self) -> str:
        """Why some names could not be asked, "" if all could."""
        return self._why_not

    def by_names(self, names: tuple[str, ...]) -> Mapping[str, tuple[WormsRecord, ...]]:
        """Return the records that fit each name; one that could not be asked is left out."""
        found = self._answers(names, "AphiaRecordsByMatchNames", "scientificnames[]")
        return {name: _records(entries) for name, entries in found.items()}

    def by_ids(self, ids: tuple[int, ...]) -> Mapping[int, WormsRecord]:
        """Return the records of AphiaIDs, as far as there are any."""
        found = self._answers(tuple(map(str, ids)), "AphiaRecordsByAphiaIDs", "aphiaids[]")
        every = (record for entries in found.values() for record in _records(entries))
        return {record.aphia_id: record for record in every}

    def _answers(self, keys: Sequence[str], what: str, parameter: str) -> dict[str, list[Any]]:
        kept = {key: self.cache.get(f"{what}/{key}") for key in keys}
        found = {key: entries for key, entries in kept.items() if entries is not None}
        left = [key for key in keys if key not in found]
        batches = [
            left[start : start + NAMES_A_REQUEST] for start in range(0, len(left), NAMES_A_REQUEST)
        ]
        with self.reporter.progress("asking WoRMS") as progress:
            while batches and not self._why_not:
                batch = batches.pop(0)
                try:
                    new, halves = self._batch(batch, what, parameter)
                except _UnreachableError as error:
                    self._why_not = str(error)
                    break
                batches[:0] = halves
                found |= new
                self.cache.put({f"{what}/{key}": entries for key, entries in new.items()})
                progress(len(found), len(keys))
        return found

    def _batch(
        self, keys: list[str], what: str, parameter: str
    ) -> tuple[dict[str, list[Any]], list[list[str]]]:
        """Return what was answered of a batch, and the batches that are to be asked for the rest.

        An answer in parts, or too long a question, is asked again in halves; of one name alone,
        what came is taken.
        """
        pairs = [(parameter, key) for key in keys]
        if what == "AphiaRecordsByMatchNames":
            pairs += [("marine_only", "false"), ("extant_only", "false")]
        middle = len(keys) // 2
        halves = [keys[:middle], keys[middle:]] if middle else []
        try:
            status, entries = self._ask(what, pairs)
        except _TooLongError:
            return ({}, halves) if halves else ({keys[0]: []}, [])
        if status == HTTPStatus.NO_CONTENT:  # none of them is known
            return {key: [] for key in keys}, []
        if status == HTTPStatus.PARTIAL_CONTENT and halves:
            return {}, halves
        if what == "AphiaRecordsByAphiaIDs":
            by_id = {str(each.aphia_id): e for e in entries if (each := record_from_answer(e))}
            return {key: [by_id[key]] if key in by_id else [] for key in keys}, []
        if len(entries) != len(keys):
            if halves:
                return {}, halves
            raise _UnreachableError(
                f"its answer is about {len(entries)} names where 1 was asked for"
            )
        return {
            key: found if isinstance(found, list) else []
            for key, found in zip(keys, entries, strict=True)
        }, []

    def _ask(self, what: str, pairs: Sequence[tuple[str, str]]) -> tuple[int, list[Any]]:
        """Ask once, and again while the service is busy or fails.

        Raises:
            _UnreachableError: If it could not be asked, or refuses.
            _TooLongError: If the question is too long.
        """
        import httpx

        reason = ""
        for n_faults in range(1, self.politeness.tries + 1):
            self._wait()
            pause_s = None
            try:
                response = self.client.get(f"{self.api}/{what}", params=tuple(pairs))
            except httpx.HTTPError as error:
                reason = f"no connection ({type(error).__name__})"
                if isinstance(error, httpx.ConnectError) and n_faults > 1:
                    break  # this machine is not online: more tries only take time
            else:
                if response.status_code in _TOO_LONG:
                    raise _TooLongError
                if response.is_success:
                    return response.status_code, _entries(response)
                reason = f"the service says {response.status_code}"
                if response.status_code < 500 and response.status_code not in _AGAIN:
                    raise _UnreachableError(reason)
                pause_s = asked_pause_s(response.headers.get("retry-after"), datetime.now(UTC))
            if n_faults < self.politeness.tries:
                wait_s = wait_before_try(n_faults, self.politeness, self._random)
                self.sleep(wait_s if pause_s is None else pause_s)
        raise _UnreachableError(reason)

    def _wait(self) -> None:
        now = time.monotonic()
        if now < self._next_at:
            self.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + 1.0 / self.politeness.per_s


def _entries(response: httpx.Response) -> list[Any]:
    if response.status_code == HTTPStatus.NO_CONTENT:
        return []
    if len(response.content) > _MAX_ANSWER_BYTES:
        raise _UnreachableError("its answer is larger than what is read")
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        raise _UnreachableError("its answer is no JSON") from None
    if not isinstance(found, list):
        raise _UnreachableError("its answer is no list")
    return found


def _records(entries: Sequence[object]) -> tuple[WormsRecord, ...]:
    found = (record_from_answer(entry) for entry in entries)
    return tuple(record for record in found if record is not None)


def open_worms(reporter: Reporter, cache: WormsCache) -> WormsService:
    """Return the service, with a client that must be closed.

    Raises:
        AddressError: If its address is none.
        ModuleNotFoundError: If httpx is not installed.
    """
    import httpx

    from finding_nemo.core.provenance import package_version

    client = httpx.Client(
        follow_redirects=True,
        headers={"User-Agent": f"finding-nemo/{package_version()} (python-httpx; names)"},
        timeout=httpx.Timeout(WORMS_POLITENESS.silent_s, connect=WORMS_POLITENESS.connect_s),
    )
    return WormsService(client=client, cache=cache, reporter=reporter, api=worms_address())
