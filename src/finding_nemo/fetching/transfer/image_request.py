"""One request for one image: what came is kept, and what it means is returned."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from finding_nemo.core.errors import AddressError, NoSpaceError, OutputError
from finding_nemo.core.files.atomic_files import raise_output_error
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.fetching.transfer.addresses import redirect_target
from finding_nemo.fetching.transfer.politeness import Manner, Politeness
from finding_nemo.fetching.transfer.server_answers import ServerAnswer, Step, judge_answer
from finding_nemo.fetching.transfer.unfinished_file import Begun, UnfinishedFile

if TYPE_CHECKING:
    import httpx

# Of an answer without an image so much is read that its connection can be used again.
_PAGE_BYTES = 1 << 16


def check_installed() -> None:
    """Check that what sends requests is there.

    Raises:
        ModuleNotFoundError: If httpx is not installed.
    """
    import httpx  # noqa: F401 - asked for before anything is written


def open_client(politeness: Politeness) -> httpx.AsyncClient:
    """Return what sends requests: with HTTP/2 where a server offers it.

    Proxies are those of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.

    Raises:
        ModuleNotFoundError: If httpx is not installed.
    """
    import httpx

    from finding_nemo.core.provenance import package_version

    return httpx.AsyncClient(
        http2=_knows_http2(),
        follow_redirects=False,
        headers={"User-Agent": f"finding-nemo/{package_version()} (python-httpx; fetch)"},
        timeout=httpx.Timeout(politeness.silent_s, connect=politeness.connect_s, pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=politeness.connections),
    )


def _knows_http2() -> bool:
    from importlib.util import find_spec

    return find_spec("h2") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one request came to.

    Attributes:
        step: `COMPLETE`: the file is here, not looked at yet; `REDIRECT`, `RETRY` or `GONE`.
        reason: Why there is no image, in words.
        manner: How the server took it.
        retry_after_s: For how long the server asks to be left alone.
        location: Where it redirects to, checked.
        n_bytes: Bytes that came with this request.
    """

    step: Step
    reason: str = ""
    manner: Manner = Manner.WELL
    retry_after_s: float | None = None
    location: str = ""
    n_bytes: int = 0


class ImageRequests:
    """Sends requests for images, and keeps what comes."""

    def __init__(
        self, client: httpx.AsyncClient, politeness: Politeness, limits: InputLimits = USUAL_LIMITS
    ) -> None:
        """Remember what to send with."""
        self._client = client
        self._polite = politeness
        self._limits = limits

    async def ask(self, url: str, unfinished: UnfinishedFile) -> Received:
        """Ask for an image, or for what is missing of it, and keep it in `unfinished`.

        Raises:
            OutputError: If it cannot be kept; `NoSpaceError` if the disk is full.
        """
        begun = unfinished.begun(url)
        if begun.is_whole:
            return Received(step=Step.COMPLETE)
        body = _Body(unfinished, url, begun, self._limits.max_file_bytes)
        try:
            return await self._ask(url, begun, body)
        except (OutputError, NoSpaceError):
            raise
        except TimeoutError:
            reason = "the server is silent" if not body.n_bytes else "the server sends too slowly"
            return _fault(reason, body)
        except (OSError, ssl.SSLError) as error:
            return _fault(f"the connection failed ({type(error).__name__})", body)
        except Exception as error:
            return _of_http(error, body)
        finally:
            body.close()

    async def _ask(self, url: str, begun: Begun, body: _Body) -> Received:
        loop = asyncio.get_running_loop()
        polite = self._polite
        async with AsyncExitStack() as stack:
            # One limit for the whole answer: a head that drips in byte by byte is never silent.
            limit = await stack.enter_async_context(
                asyncio.timeout(polite.connect_s + polite.silent_s)
            )
            response = await stack.enter_async_context(
                self._client.stream("GET", url, headers=_headers(begun))
            )
            answer = judge_answer(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                offset=begun.offset,
                total=begun.total,
                now=datetime.now(UTC),
            )
            if answer.step not in (Step.WRITE, Step.APPEND):
                await _drain(response)
                return _without_body(url, answer, body)
            body.open(answer)
            n_due = 0.0
            async for chunk in response.aiter_bytes():
                if not body.keep(chunk):
                    return Received(step=Step.GONE, reason="the file is larger than what is read")
                if body.n_bytes >= n_due:
                    # What came fast at first does not pay for what drips later.
                    n_due = body.n_bytes + polite.grace_s * polite.least_bytes_per_s
                    limit.reschedule(loop.time() + polite.grace_s)
        return body.result(answer)


def _headers(begun: Begun) -> dict[str, str]:
    # Coded bytes have other lengths and parts than the file; "identity" asks for its own.
    headers = {"Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}
    if begun.offset and begun.validator:
        headers |= {"Range": f"bytes={begun.offset}-", "If-Range": begun.validator}
    return headers


async def _drain(response: httpx.Response) -> None:
    n_bytes = 0
    async for chunk in response.aiter_raw():
        n_bytes += len(chunk)
        if n_bytes > _PAGE_BYTES:
            return


def _without_body(url: str, answer: ServerAnswer, body: _Body) -> Received:
    if answer.step is Step.REDIRECT:
        try:
            return Received(step=Step.REDIRECT, location=redirect_target(url, answer.location))
        except AddressError as error:
            return Received(step=Step.GONE, reason=str(error))
    if answer.step is Step.RESTART:
        body.discard()
        return Received(
            step=Step.RETRY, reason=answer.reason or "the file has changed on the server"
        )
    return Received(
        step=answer.step,
        reason=answer.reason,
        manner=answer.manner,
        retry_after_s=answer.retry_after_s,
    )


def _fault(reason: str, body: _Body, manner: Manner = Manner.WRONG) -> Received:
    return Received(step=Step.RETRY, reason=reason, manner=manner, n_bytes=body.n_bytes)


def _of_http(error: Exception, body: _Body) -> Received:
    """Return what an error of httpx means; its own words may hold an address and its secrets."""
    import httpx

    for kind, words, manner in (
        (httpx.ConnectTimeout, "no connection was made in time", Manner.UNREACHABLE),
        (httpx.ConnectError, "no connection was made", Manner.UNREACHABLE),
        (httpx.ProxyError, "the proxy gives no connection", Manner.UNREACHABLE),
        (httpx.TimeoutException, "the server is silent", Manner.WRONG),
        (httpx.RemoteProtocolError, "the answer ends early or is no HTTP", Manner.WRONG),
        (httpx.NetworkError, "the connection was lost", Manner.WRONG),
        (httpx.DecodingError, "the answer's coding is damaged", Manner.WRONG),
        (httpx.TransportError, "the connection failed", Manner.WRONG),
    ):
        if isinstance(error, kind):
            return _fault(words, body, manner)
    if isinstance(error, httpx.InvalidURL | UnicodeError | ValueError):
        return Received(step=Step.GONE, reason="is no address that can be asked")
    raise error


class _Body:
    """The bytes of one answer on their way to the disk."""

    def __init__(self, unfinished: UnfinishedFile, url: str, begun: Begun, max_bytes: int) -> None:
        self._unfinished = unfinished
        self._url = url
        self._begun = begun
        self._max_bytes = max_bytes
        self._file: BinaryIO | None = None
        self._size = 0
        self.n_bytes = 0

    def open(self, answer: ServerAnswer) -> None:
        if answer.step is Step.APPEND:
            self._file, self._size = self._unfinished.go_on(), self._begun.offset
        else:
            self._file = self._unfinished.begin(
                self._url, validator=answer.validator, total=answer.total
            )

    def keep(self, chunk: bytes) -> bool:
        """Write a chunk; return false where the file becomes too large."""
        self.n_bytes += len(chunk)
        self._size += len(chunk)
        if self._size > self._max_bytes or self._file is None:
            return False
        with raise_output_error(self._unfinished.path):
            self._file.write(chunk)
        return True

    def result(self, answer: ServerAnswer) -> Received:
        self.close()
        if answer.total is not None and self._size != answer.total:
            if self._size > answer.total:
                self._unfinished.discard()
            return _fault("the file has another length than the server says", self)
        return Received(step=Step.COMPLETE, n_bytes=self.n_bytes)

    def discard(self) -> None:
        self._unfinished.discard()

    def close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            with raise_output_error(self._unfinished.path):
                file.close()
