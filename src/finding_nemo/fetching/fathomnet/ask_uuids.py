"""A question to FathomNet's interface about some uuids, asked again where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Protocol

from finding_nemo.core.errors import FetchError
from finding_nemo.fetching.fathomnet.fathomnet_api import (
    ImageFacts,
    facts_by_uuid,
    read_answer,
)
from finding_nemo.fetching.transfer.host_queue import Request, Taken
from finding_nemo.fetching.transfer.politeness import Manner, Politeness, wait_before_try
from finding_nemo.fetching.transfer.server_answers import Step, judge_answer

if TYPE_CHECKING:
    import httpx

# An answer about 50 images with all their boxes is some 100 kB.
MAX_ANSWER_BYTES = 64 << 20


class Put(Protocol):
    """Takes a request to be asked in some seconds."""

    def __call__(self, request: Request, *, wait_s: float | None = None) -> None:
        """Take it."""


class UuidQuestion:
    """What FathomNet says of up to 50 images."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        politeness: Politeness,
        api: str,
        uuids: Sequence[str],
        *,
        put: Put,
        answered: Callable[[Mapping[str, ImageFacts], str], None],
    ) -> None:
        """Ask nothing yet.

        Args:
            client: What sends requests.
            politeness: How often it is asked again.
            api: Where the interface is.
            uuids: The images.
            put: Takes this question to be asked.
            answered: Given what FathomNet says by uuid, and why it says nothing.
        """
        self._client = client
        self._polite = politeness
        self._api = api
        self._uuids = list(uuids)
        self._put = put
        self._answered = answered
        self._n_faults = 0
        self._random = Random()  # noqa: S311 - spreads waits, no secret

    def begin(self) -> None:
        """Ask as soon as the server's pace allows."""
        self._put(self)

    async def carry_out(self) -> Taken:
        """Ask once."""
        try:
            taken, content = await post_json(
                self._client, f"{self._api}/images/query/uuids", self._uuids, self._polite
            )
            if content is not None:
                facts = facts_by_uuid(read_answer(content))
                self._answered(facts, "")
                return taken
            reason = "the server fails all the time"
        except FetchError as error:
            taken, reason = Taken(Manner.WELL), str(error)
        self._n_faults += 1 if taken.manner is not Manner.WELL else self._polite.tries
        if self._n_faults >= self._polite.tries:
            self._answered({}, reason)
        else:
            wait_s = wait_before_try(self._n_faults, self._polite, self._random)
            self._put(self, wait_s=wait_s)
        return taken

    def give_up(self, reason: str) -> None:
        """Say that nothing is known."""
        self._answered({}, reason)


async def post_json(
    client: httpx.AsyncClient,
    url: str,
    content: object,
    politeness: Politeness,
) -> tuple[Taken, bytes | None]:
    """Ask a question once.

    Args:
        client: What sends requests.
        url: Where.
        content: What is sent, as JSON.
        politeness: How long an answer may take.

    Returns:
        How the server took it, and the answer; `None` where it failed and may be asked again.

    Raises:
        FetchError: If the server refuses the question, or answers too much.
    """
    import httpx

    try:
        async with (
            asyncio.timeout(politeness.connect_s + 4 * politeness.silent_s),
            client.stream("POST", url, json=content) as response,
        ):
            now = datetime.now(UTC)
            headers = {name.lower(): value for name, value in response.headers.items()}
            answer = judge_answer(response.status_code, headers, offset=0, total=None, now=now)
            if answer.step is Step.RETRY:
                return Taken(answer.manner, answer.retry_after_s), None
            if answer.step is not Step.WRITE:
                raise FetchError(answer.reason or "it is not where it was")
            found = bytearray()
            async for chunk in response.aiter_bytes():
                found += chunk
                if len(found) > MAX_ANSWER_BYTES:
                    raise FetchError("its answer is larger than what is read")
            return Taken(Manner.WELL), bytes(found)
    except httpx.ConnectError:
        return Taken(Manner.UNREACHABLE), None
    except (httpx.HTTPError, TimeoutError, OSError):
        return Taken(Manner.WRONG), None
