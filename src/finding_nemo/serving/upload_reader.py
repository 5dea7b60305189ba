"""Files that a request brings: read as they come, counted, looked at, and never believed.

Neither the type that a part states nor its name decides anything: what a file is, its first bytes
say; its name is text for people, and no path is ever made of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from finding_nemo.core.errors import ImageError, RequestError
from finding_nemo.core.text.printable import printable
from finding_nemo.data.images.formats.image_formats import format_of
from finding_nemo.serving.middleware.request_limits import (
    MB,
    ByteBudget,
    RequestLimits,
    body_pieces,
)

# It tells of every byte that is out of place, at the level of warnings; the reply says it once.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
LOOKED_AT = 1024
_LONGEST_NAME = 300
_MOST_HEADER_BYTES = 4096
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file of a request.

    Attributes:
        name: As the client calls it, for people; never a path of the server.
        content: Its bytes; empty where it failed or lies on the disk.
        failure: Why it cannot be used, where that is known already.
    """

    name: str
    content: bytes = b""
    failure: str | None = None


class UploadSink(Protocol):
    """Where the bytes of one file go."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> Upload:
        """Take the end, and return what came."""
        ...

    def abort(self) -> None:
        """Forget what came: the request is refused."""


class MemorySink:
    """Keeps one image in memory; what is no image, or too large, is counted and forgotten."""

    def __init__(self, name: str, limits: RequestLimits, budget: ByteBudget) -> None:
        """Begin with nothing."""
        self._name, self._limits, self._budget = name, limits, budget
        self._content = bytearray()
        self._failure: str | None = None
        self._is_known = False
        self.n_held = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            RequestError: 429 if requests hold too much memory together.
        """
        if self._failure is not None:
            return
        if len(self._content) + len(data) > self._limits.max_file_bytes:
            self._fail(f"is larger than {self._limits.max_file_bytes / MB:g} MB")
            return
        self._budget.take(len(data))
        self.n_held += len(data)
        self._content += data
        if not self._is_known and len(self._content) >= LOOKED_AT:
            self._look()

    def close(self) -> Upload:
        """Return the image, or why it is none."""
        if self._failure is None and not self._is_known:
            self._look()
        return Upload(name=self._name, content=bytes(self._content), failure=self._failure)

    def abort(self) -> None:
        """Forget what came."""
        self._content = bytearray()
        self._budget.give_back(self.n_held)
        self.n_held = 0

    def _look(self) -> None:
        self._is_known = True
        try:
            format_of(bytes(self._content[:LOOKED_AT]))
        except ImageError as error:
            self._fail(str(error))

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self.abort()


MakeSink = Callable[[str], UploadSink]


@dataclass
class _Part:
    """The head of one part of a multipart body, as it comes."""

    field_name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    n_bytes: int = 0


class MultipartFiles:
    """The files of a multipart body, each into a sink of its own, in order."""

    def __init__(self, boundary: bytes, make_sink: MakeSink, *, most_files: int) -> None:
        """Make ready.

        Args:
            boundary: What stands between the parts.
            make_sink: Makes the sink of a file by its name.
            most_files: How many parts there may be.
        """
        self.uploads: list[Upload] = []
        self.is_whole = False
        self._make_sink, self._most_files = make_sink, most_files
        self._part = _Part()
        self._sink: UploadSink | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._whole,
            },
        )

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            RequestError: 400 if they are not of the form, 413 if there are too many parts.
        """
        try:
            self._parser.write(data)
        except MultipartParseError:
            raise RequestError(
                400,
                "The body is not of the form that its type states.",
                wanted="multipart/form-data with the boundary that the header names.",
                do="Let your HTTP library make both.",
            ) from None

    def abort(self) -> None:
        """Forget the file that was on its way."""
        if self._sink is not None:
            self._sink.abort()
            self._sink = None

    def _begin(self) -> None:
        if len(self.uploads) == self._most_files:
            raise RequestError(
                413,
                f"The request holds more than {self._most_files} files.",
                do="Send them in several requests.",
            )
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_head(end - start)
        self._part.field_name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_head(end - start)
        self._part.value += data[start:end]

    def _count_head(self, n_bytes: int) -> None:
        self._part.n_bytes += n_bytes
        if self._part.n_bytes > _MOST_HEADER_BYTES:
            raise RequestError(400, "The head of a part is longer than 4 kB.")

    def _header_end(self) -> None:
        if bytes(self._part.field_name).lower() == b"content-disposition":
            self._part.disposition = bytes(self._part.value)
        self._part.field_name, self._part.value = bytearray(), bytearray()

    def _open(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        name = options.get(b"filename", b"") or options.get(b"name", b"")
        number = len(self.uploads) + 1
        self._sink = self._make_sink(shown_name(name) or f"image {number}")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._sink is not None:
            self._sink.write(data[start:end])

    def _end(self) -> None:
        if self._sink is not None:
            self.uploads.append(self._sink.close())
            self._sink = None

    def _whole(self) -> None:
        self.is_whole = True


def shown_name(name: bytes) -> str:
    """Return a client's name of a file as text: no path leads out of it, nothing is a command."""
    text = name.decode(errors="replace")[:_LONGEST_NAME].replace("\\", "/")
    parts = PurePosixPath(text).parts
    return printable("/".join(part for part in parts if part not in ("/", "//", ".", ".."))).strip()


async def read_uploads(
    request: Request, limits: RequestLimits, make_sink: MakeSink, *, most_bytes: int
) -> list[Upload]:
    """Return the files of a request: of an image its one, of multipart/form-data all parts.

    Args:
        request: Whose body it is.
        limits: What it may cost.
        make_sink: Makes the sink of a file by its name.
        most_bytes: How long the body may be.

    Raises:
        RequestError: 400, 408, 413, 415 or 429.
    """
    stated, options = parse_options_header(request.headers.get("content-type", ""))
    kind = stated.decode("latin-1").lower()
    if kind == MULTIPART:
        return await _read_multipart(
            request, limits, make_sink, options.get(b"boundary", b""), most_bytes
        )
    if not kind.startswith("image/"):
        raise RequestError(
            415,
            f"A body of the type {kind[:80]!r} brings no images.",
            wanted="image/... for one image, multipart/form-data for several.",
        )
    sink = make_sink("image 1")
    try:
        async for piece in body_pieces(request, limits, most_bytes):
            sink.write(piece)
    except RequestError:
        sink.abort()
        raise
    return [sink.close()]


async def _read_multipart(
    request: Request, limits: RequestLimits, make_sink: MakeSink, boundary: bytes, most_bytes: int
) -> list[Upload]:
    if not 0 < len(boundary) <= 70:
        raise RequestError(
            400,
            "multipart/form-data without a boundary of 1 to 70 characters.",
            do="Let your HTTP library make the header Content-Type.",
        )
    files = MultipartFiles(boundary, make_sink, most_files=limits.max_files)
    try:
        async for piece in body_pieces(request, limits, most_bytes):
            files.write(piece)
        if not files.is_whole:
            raise RequestError(400, "The body ends before its last part does.", do="Send it again.")
        if not files.uploads:
            raise RequestError(400, "The request holds no file.", do="Send at least one.")
    except BaseException:
        files.abort()
        raise
    return files.uploads
