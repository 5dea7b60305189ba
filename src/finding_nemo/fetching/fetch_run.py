"""A fetch while it goes on: images from address to address until each is here or known missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from finding_nemo.core.errors import ImageError, NoSpaceError, OutputError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.fetching.fathomnet.ask_uuids import UuidQuestion
from finding_nemo.fetching.fathomnet.fathomnet_api import (
    DOMAIN,
    IMAGES_BASE,
    UUIDS_A_REQUEST,
    ImageFacts,
    uuid_in,
)
from finding_nemo.fetching.fetch_plan import WantedImage
from finding_nemo.fetching.fetched_list import FetchedImage, FetchJournal, MissingImage
from finding_nemo.fetching.keep_image import fetched_image, give_name, sha256_of
from finding_nemo.fetching.transfer.addresses import (
    MAX_REDIRECTS,
    host_of,
    is_on,
    moved_address,
)
from finding_nemo.fetching.transfer.host_queue import HostQueue, Taken
from finding_nemo.fetching.transfer.image_request import ImageRequests, Received
from finding_nemo.fetching.transfer.politeness import (
    HostPace,
    Manner,
    Politeness,
    wait_before_try,
)
from finding_nemo.fetching.transfer.server_answers import Step
from finding_nemo.fetching.transfer.unfinished_file import UnfinishedFile
from finding_nemo.fetching.verify_image import verify_image

if TYPE_CHECKING:
    import httpx

# A try that brought so much, to be gone on with, does not count; so often at most.
_PROGRESS_BYTES = 1 << 16
_MOST_TRIES = 200
# A busy server says nothing about the image: two such answers are one try.
_COST_OF_BUSY = 0.5
# So often the same bytes must come before they are taken for what the server has.
_SAME_DAMAGE = 3
_OTHER_CHECKSUM = "what the server sends is another file than FathomNet's checksum says"
# Decoding releases Python's lock; more would take the cores of other programs.
_DECODERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where else images of FathomNet are looked for.

    Attributes:
        domain: Hosts of it and below are FathomNet's.
        moved_to: The server that has the same paths.
        api: Where uuids are asked for; "" for nowhere.
    """

    domain: str = DOMAIN
    moved_to: str = IMAGES_BASE
    api: str = ""


@dataclass(slots=True)
class _Job:
    """One image on its way."""

    image: WantedImage
    unfinished: UnfinishedFile
    addresses: list[str]
    address: str = ""
    url: str = ""  # the address, or where it redirects to
    n_redirects: int = 0
    cost: float = 0.0
    n_tries: int = 0
    damaged: Counter[str] = field(default_factory=Counter)
    facts: ImageFacts | None = None
    asked: set[str] = field(default_factory=set)
    is_api_asked: bool = False
    reasons: list[str] = field(default_factory=list)


class FetchRun:
    """Fetches images; each ends in `add_fetched` or `add_missing`, in any order."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        journal: FetchJournal,
        *,
        politeness: Politeness,
        sources: Sources,
        add_fetched: Callable[[FetchedImage], None],
        add_missing: Callable[[MissingImage], None],
        limits: InputLimits = USUAL_LIMITS,
    ) -> None:
        """Remember what to fetch with; nothing is asked yet."""
        self._client = client
        self._requests = ImageRequests(client, politeness, limits)
        self._journal = journal
        self._polite = politeness
        self._sources = sources
        self._add_fetched = add_fetched
        self._add_missing = add_missing
        self._limits = limits
        self._random = Random()  # noqa: S311 - spreads waits, no secret
        self._queues: dict[str, HostQueue] = {}
        self._n_left = 0
        self._to_ask: list[_Job] = []
        self._n_asked = 0  # jobs whose question is under way
        self._ended = asyncio.Event()
        self._decoders = asyncio.Semaphore(_DECODERS)

    async def fetch(self, images: Sequence[WantedImage]) -> None:
        """Fetch `images`; returns when each is here or missing.

        Raises:
            ExceptionGroup: Of what ends it early: `NoSpaceError` if the disk is full.
        """
        self._n_left = len(images)
        if not images:
            return
        async with asyncio.TaskGroup() as group:
            self._group = group
            for image in images:
                self._next_address(_job_of(image, self._journal, self._sources))
            await self._ended.wait()
            for queue in self._queues.values():
                queue.close()

    # --- from address to address ------------------------------------------------------------------

    def _next_address(self, job: _Job) -> None:
        """Go on with the next address, with FathomNet's interface, or with no image."""
        if job.addresses:
            job.address = job.url = job.addresses.pop(0)
            job.asked.add(job.address)
            job.cost, job.n_tries, job.n_redirects = 0.0, 0, 0
            job.damaged.clear()
            self._queue(job.url).put(_ImageAttempt(self, job))
        elif self._may_ask_api(job):
            job.is_api_asked = True
            self._to_ask.append(job)
        else:
            self._miss(job)
        self._ask_if_due()

    def _may_ask_api(self, job: _Job) -> bool:
        has_name = uuid_in(job.image.image_id) is not None
        is_theirs = is_on(job.image.url, self._sources.domain)
        return bool(self._sources.api) and has_name and is_theirs and not job.is_api_asked

    def _queue(self, url: str) -> HostQueue:
        host = host_of(url)
        if host not in self._queues:
            pace = HostPace(self._polite, self._random)
            self._queues[host] = HostQueue(pace, self._group.create_task)
        return self._queues[host]

    def leave_address(self, job: _Job, reason: str) -> None:
        """Note why an address has no image, and go on with the next.

        What came of it stays: a fault may have passed by the next run.
        """
        job.reasons.append(f"{host_of(job.url)}: {reason}")
        self._next_address(job)

    def _miss(self, job: _Job) -> None:
        image = job.image
        self._add_missing(
            MissingImage(
                file=image.file,
                image_id=image.image_id,
                url=image.url,
                reason="; ".join(job.reasons),
            )
        )
        self._end_one()

    def _end_one(self) -> None:
        self._n_left -= 1
        if self._n_left == 0:
            self._ended.set()
        self._ask_if_due()

    # --- one request ------------------------------------------------------------------------------

    async def attempt(self, job: _Job) -> Taken:
        """Ask for an image once, and do with the answer what is to be done."""
        try:
            received = await self._requests.ask(job.url, job.unfinished)
            if received.step is Step.COMPLETE:
                received = await self._complete(job, received)
        except NoSpaceError:
            raise
        except OutputError as error:  # this name cannot be written; others can
            job.addresses, job.is_api_asked = [], True
            self.leave_address(job, str(error))
            return Taken(Manner.WELL)
        self._follow(job, received)
        return Taken(received.manner, received.retry_after_s)

    def _follow(self, job: _Job, received: Received) -> None:
        if received.step is Step.COMPLETE:
            self._end_one()
        elif received.step is Step.GONE:
            job.unfinished.discard()
            self.leave_address(job, received.reason)
        elif received.step is Step.REDIRECT:
            self._redirect(job, received.location)
        else:
            self._retry(job, received)

    def _redirect(self, job: _Job, location: str) -> None:
        job.n_redirects += 1
        if job.n_redirects > MAX_REDIRECTS:
            self.leave_address(job, "the server redirects round and round")
            return
        job.url = location
        self._queue(location).put(_ImageAttempt(self, job), wait_s=0.0)

    def _retry(self, job: _Job, received: Received) -> None:
        job.n_tries += 1
        if received.n_bytes < _PROGRESS_BYTES:
            job.cost += _COST_OF_BUSY if received.manner is Manner.BUSY else 1.0
        if job.cost >= self._polite.tries or job.n_tries >= _MOST_TRIES:
            self.leave_address(job, f"{received.reason} ({job.n_tries} tries)")
            return
        wait_s = wait_before_try(max(1, round(job.cost)), self._polite, self._random)
        if job.url != job.address:  # what it redirected to may be old by now
            job.url, job.n_redirects = job.address, 0
        self._queue(job.url).put(_ImageAttempt(self, job), wait_s=wait_s)

    # --- a file that came -------------------------------------------------------------------------

    async def _complete(self, job: _Job, received: Received) -> Received:
        """Look at a file that is here, and give it its name."""
        try:
            async with self._decoders:
                found = await asyncio.to_thread(
                    verify_image, job.unfinished.path, limits=self._limits
                )
        except ImageError as error:
            return await self._damaged(job, received, str(error))
        if job.facts is not None and job.facts.sha256 not in ("", found.sha256):
            return replace(received, step=Step.GONE, reason=_OTHER_CHECKSUM)
        fetched = fetched_image(job.image, job.url, found, job.facts)
        self._journal.add(fetched)
        await asyncio.to_thread(give_name, job.unfinished, job.image.path)
        self._add_fetched(fetched)
        return received

    async def _damaged(self, job: _Job, received: Received, why: str) -> Received:
        """The same damaged bytes again and again are what the server has."""
        sha256 = await asyncio.to_thread(sha256_of, job.unfinished.path)
        job.unfinished.discard()
        job.damaged.update([sha256])
        step = Step.GONE if job.damaged[sha256] >= _SAME_DAMAGE else Step.RETRY
        return replace(received, step=step, reason=f"what the server sends {why}", n_bytes=0)

    # --- FathomNet's interface --------------------------------------------------------------------

    def _ask_if_due(self) -> None:
        """Ask for uuids when there are enough for one question, or nothing else is left."""
        n_waiting = len(self._to_ask)
        is_idle = self._n_left == n_waiting + self._n_asked
        while self._to_ask and (len(self._to_ask) >= UUIDS_A_REQUEST or is_idle):
            batch = self._to_ask[:UUIDS_A_REQUEST]
            del self._to_ask[:UUIDS_A_REQUEST]
            self._n_asked += len(batch)
            uuids = [str(uuid_in(job.image.image_id)) for job in batch]
            question = UuidQuestion(
                self._client,
                self._polite,
                self._sources.api,
                uuids,
                put=self._queue(self._sources.api).put,
                answered=partial(self._told, batch),
            )
            question.begin()

    def _told(self, jobs: list[_Job], facts: Mapping[str, ImageFacts], reason: str) -> None:
        """Go on with what FathomNet says of some images, or with why it says nothing."""
        self._n_asked -= len(jobs)
        for job in jobs:
            found = facts.get(str(uuid_in(job.image.image_id)))
            if found is None:
                job.reasons.append(f"FathomNet's interface: {reason or 'it knows no such uuid'}")
            elif not found.url or found.url in job.asked:
                job.reasons.append("FathomNet's interface: it knows no other address")
            else:
                job.facts, job.addresses = found, [found.url]
            self._next_address(job)


def _job_of(image: WantedImage, journal: FetchJournal, sources: Sources) -> _Job:
    addresses = [image.url]
    if is_on(image.url, sources.domain) and sources.moved_to:
        addresses.append(moved_address(image.url, sources.moved_to))
    unfinished = UnfinishedFile(journal.state_folder, image.file)
    return _Job(image, unfinished, list(dict.fromkeys(addresses)))


@dataclass(frozen=True, slots=True)
class _ImageAttempt:
    """The next request for one image."""

    run: FetchRun
    job: _Job

    async def carry_out(self) -> Taken:
        return await self.run.attempt(self.job)

    def give_up(self, reason: str) -> None:
        self.run.leave_address(self.job, reason)
