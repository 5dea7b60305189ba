"""Files of a web server, streamed within limits: no answer is kept that is larger or slower.

fsspec's own reading takes a whole answer into memory first (6.4 GB of an endless one) and waits
five minutes for a silent server. Its session is used all the same: it knows the person's proxies,
headers and certificates.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from typing import Any, BinaryIO, cast
from urllib.parse import urljoin

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.data.filesystems.filesystem import Folder, file_system, path_part

_CHUNK = 1 << 18
# What is asked for at a time of a file that is read in pieces: headers of a tar, a video's frames.
_PIECE = 1 << 20
# An index page of a hundred thousand links is 10 MiB.
_LARGEST_PAGE = 1 << 24
_LINK = re.compile(r"""\bhref\s*=\s*["']?([^"'<>\s]+)""", re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_FORBIDDEN = frozenset({401, 403, 407})
_PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server answered.

    Attributes:
        content: The body, or as much of it as was wanted.
        size: How many bytes the file has, if the server gives parts of it and says so.
    """

    content: bytes
    size: int | None


class WebFileSystem:
    """The files of web servers."""

    def __init__(self, protocol: str, limits: InputLimits) -> None:
        """Connect to nothing yet.

        Raises:
            MissingExtraError: If fsspec or aiohttp is not installed.
        """
        self._system = file_system(protocol)
        self._limits = limits

    def kind(self, path: str) -> str:
        """Return "folder" for a page that links to files below it, or else "file"."""
        try:
            found = self.listed(path)
        except ImageError:
            return "file"  # why it cannot be read is its row's to say
        return "folder" if found.files or found.folders else "file"

    def listed(self, path: str) -> Folder:
        """Return what the index page `path` links to directly below it."""
        page = self._get(path, 0, min(_LARGEST_PAGE, self._limits.max_file_bytes), page_only=True)
        names = set(_links_below(page.content.decode("utf-8", "replace"), path_part(path)))
        return Folder(
            tuple(sorted(name[:-1] for name in names if name.endswith("/"))),
            tuple(sorted(name for name in names if not name.endswith("/"))),
        )

    def open(self, path: str) -> BinaryIO:
        """Open `path` for reading, piece by piece where the server gives pieces."""
        first = self._get(path, 0, min(_PIECE, self._limits.max_file_bytes))
        if first.size is None:
            whole = self._get(path, 0, self._limits.max_file_bytes + 1)
            if len(whole.content) > self._limits.max_file_bytes:
                raise ImageError("is larger than what is read of a server that gives no parts")
            return io.BytesIO(whole.content)
        raw = _Pieces(self, path, first.size)
        return cast(BinaryIO, io.BufferedReader(raw, _PIECE))

    def read(self, path: str, start: int, size: int) -> bytes:
        """Return `size` bytes of `path` from `start` on, or fewer where it ends before."""
        return self._get(path, start, size).content

    def _get(self, path: str, start: int, size: int, *, page_only: bool = False) -> _Answer:
        from fsspec.asyn import sync

        try:
            wanted = (path, start, size, page_only)
            return cast(_Answer, sync(self._system.loop, self._answer, *wanted))
        except ImageError:
            raise
        except Exception as error:
            raise ImageError(_reason(error, self._limits)) from None

    async def _answer(self, path: str, start: int, size: int, page_only: bool) -> _Answer:
        import aiohttp

        options: dict[str, Any] = dict(self._system.kwargs)
        options["timeout"] = aiohttp.ClientTimeout(total=self._limits.max_seconds)
        if start or size <= _PIECE:
            wanted = {"Range": f"bytes={start}-{start + size - 1}"}
            options["headers"] = {**options.get("headers", {}), **wanted}
        session = await self._system.set_session()
        async with session.get(self._system.encode_url(path), **options) as answer:
            if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return _Answer(b"", None)
            _check(answer.status)
            if page_only and answer.content_type not in _PAGES:
                return _Answer(b"", None)
            begin, whole_size = _where(answer.headers) if answer.status == 206 else (0, None)
            if not begin <= start:
                raise ImageError("the server gave another part of the file than was asked for")
            skipped = start - begin
            if skipped + size > self._limits.max_file_bytes + 1:
                raise ImageError("the server gives no parts of a file, and the whole is too large")
            content = await _streamed(answer.content, skipped + size)
        return _Answer(content[skipped:], whole_size)


async def _streamed(body: Any, size: int) -> bytes:  # noqa: ANN401 - aiohttp is optional
    """Return at most `size` bytes of a body, which may have no end."""
    content = bytearray()
    async for chunk in body.iter_chunked(_CHUNK):
        content += chunk[: size - len(content)]
        if len(content) >= size:
            break
    return bytes(content)


def _where(headers: Mapping[str, str]) -> tuple[int, int | None]:
    found = _CONTENT_RANGE.match(headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2])) if found else (0, None)


def _check(status: int) -> None:
    """Raise the reason why an answer of this status holds no file."""
    if status < 300:
        return
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise ImageError("file not found")
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    if status in _FORBIDDEN:
        raise ImageError(f"may not be read (the server says {status}{phrase})")
    raise ImageError(f"is not read: the server says {status}{phrase}")


def _reason(error: Exception, limits: InputLimits) -> str:
    """Return why a server gave no file; aiohttp's own words hold the address and its secrets."""
    import aiohttp

    if isinstance(error, TimeoutError):
        return f"is not read: the server gave no whole answer in {limits.max_seconds:g} s"
    for kind, words in (
        (aiohttp.TooManyRedirects, "is not read: the server redirects round and round"),
        (aiohttp.ClientPayloadError, "is not read: the server's answer ends early"),
        (ValueError, "is no address that can be read"),
        (aiohttp.ClientSSLError, "is not read: the server's certificate is not accepted"),
        (aiohttp.ClientConnectorError, "is not read: the server cannot be reached"),
        (aiohttp.ClientError, "is not read: the server's answer cannot be understood"),
    ):
        if isinstance(error, kind):
            return f"{words} ({type(error).__name__})"
    return f"cannot be read ({type(error).__name__})"


class _Pieces(io.RawIOBase):
    """A file of a web server that can seek."""

    def __init__(self, files: WebFileSystem, path: str, size: int) -> None:
        self._files, self._path, self._size = files, path, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        content = self._files.read(self._path, self._position, wanted)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def _links_below(page: str, address: str) -> list[str]:
    """Return the names that an index page links to in its own folder, folders with "/"."""
    base = address if address.endswith("/") else f"{address}/"
    names = []
    for link in _LINK.findall(page):
        try:
            target = urljoin(base, unescape(link))
        except ValueError:
            continue
        name = target.removeprefix(base)
        is_direct = target.startswith(base) and "/" not in name[:-1]
        if is_direct and name not in ("", "/") and not set(name) & set("?#"):
            names.append(name)
    return names
